/** A figure as an SVG that a page can show: a bar per ratio with its bounds, and a line where the target is. Pure. */
import type { Figure } from '../method/report.ts';

const width = 860;
const labelWidth = 330;
const barHeight = 22;
const margin = 30;
const colours = { met: '#3a7d5d', missed: '#b4532a', free: '#8a94a3' };

export function drawBars(title: string, figures: readonly Figure[]): string {
  const most = Math.max(1, ...figures.flatMap(({ ratio, target }) => [ratio.high, targetOf(target) ?? 0])) * 1.05;
  const at = (value: number) => labelWidth + (value / most) * (width - labelWidth - 70);
  const height = margin + figures.length * barHeight + 14;
  const bars = figures.map((figure, i) => drawBar(figure, margin + i * barHeight, at));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="18" font-weight="bold">${escapeXml(title)}</text>`,
    ...bars,
    '</svg>\n',
  ].join('\n');
}

function drawBar({ name, ratio, target }: Figure, y: number, at: (value: number) => number): string {
  const wanted = targetOf(target);
  const middle = y + barHeight / 2;
  const parts = [
    `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${escapeXml(name)}</text>`,
    `<rect x="${labelWidth}" y="${y + 4}" width="${round(at(Math.max(0, ratio.median)) - labelWidth)}" height="${barHeight - 8}" fill="${colours[verdictOf(ratio.median, target)]}"/>`,
    `<line x1="${round(at(Math.max(0, ratio.low)))}" x2="${round(at(Math.max(0, ratio.high)))}" y1="${middle}" y2="${middle}" stroke="#111"/>`,
    `<text x="${round(at(Math.max(0, ratio.high, wanted ?? 0)) + 6)}" y="${middle + 4}">${ratio.median.toFixed(2)}</text>`,
  ];
  if (wanted !== null) {
    const x = round(at(wanted));
    parts.push(`<line x1="${x}" x2="${x}" y1="${y}" y2="${y + barHeight}" stroke="#111" stroke-dasharray="3 2"/>`);
  }
  return parts.join('\n');
}

/** `free` where nothing is aimed at: peers, and what stands beside a figure. */
export function verdictOf(median: number, target: string): 'met' | 'missed' | 'free' {
  const wanted = targetOf(target);
  if (wanted === null) return 'free';
  return (target.startsWith('<') ? median <= wanted : median >= wanted) ? 'met' : 'missed';
}

/** The number of `>= 0.95` or `<= 1.5`; null where none is set. */
export function targetOf(target: string): number | null {
  const number = /[<>]= ?([\d.]+)/.exec(target)?.[1];
  return number === undefined ? null : Number(number);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
