/** Makes inputs and outputs readable in a terminal. Pure: goes by their shape, and knows no task by name. */
import { basename } from 'node:path';
import type { JobMetrics } from '../../shared/jobs/job.ts';
import type { Paint } from '../terminal/paint.ts';
import type { DemoSample } from './samples.ts';

const barWidth = 24;
const labelsMax = 3;
const numbersShown = 4;

interface Span {
  readonly start: number;
  readonly end: number;
  readonly entity_group?: string;
  readonly entity?: string;
  readonly score: number;
}

interface Place {
  readonly index: number;
  readonly score: number;
}

/** One line: of an object its first text, and how many it is asked about. */
export function renderInput(input: DemoSample['input']): string {
  if ('text' in input) return input.text;
  if ('file' in input) return basename(input.file);
  const fields = Object.values(input.value as object) as unknown[];
  const text = fields.find((field) => typeof field === 'string');
  const list = fields.find((field) => Array.isArray(field));
  return `${text ?? JSON.stringify(input.value)}${list ? `  (among ${list.length})` : ''}`;
}

/** Lines that show one item's output. */
export function renderOutput(output: unknown, input: DemoSample['input'], paint: Paint): string[] {
  if (isListOf(output, 'start') && 'text' in input) return renderSpans(input.text, output as unknown as Span[], paint);
  if (isListOf(output, 'label')) return renderBars(output as unknown as { label: string; score: number }[], paint);
  if (isListOf(output, 'index') && 'value' in input)
    return renderRanks(output as unknown as Place[], input.value as object, paint);
  if (Array.isArray(output) && typeof output[0] === 'number') return renderVector(output as number[]);
  if (output !== null && typeof output === 'object' && 'text' in output)
    return [paint.bold(`"${String(output.text)}"`)];
  if (output !== null && typeof output === 'object' && 'generated_text' in output)
    return String(output.generated_text)
      .split('\n')
      .map((line) => paint.bold(line));
  return [JSON.stringify(output)];
}

/** `queue 3 ms, batch of 2, compute 12 ms, total 20 ms`; what is not known is left out. */
export function renderTimes(metrics: JobMetrics): string {
  const parts = [
    ms('queue', metrics.queue_seconds),
    ms('prepare', metrics.prepare_seconds),
    metrics.batch_rows === null ? undefined : `batch of ${metrics.batch_rows}`,
    ms('compute', metrics.compute_seconds),
    ms('total', metrics.total_seconds),
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}

function renderSpans(text: string, spans: readonly Span[], paint: Paint): string[] {
  // Offsets count code points: an emoji is one of them, and two of JavaScript's units.
  const points = Array.from(text);
  const names = [...new Set(spans.map(nameOf))];
  let line = '';
  let at = 0;
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const colour = names.indexOf(nameOf(span));
    line += points.slice(at, span.start).join('');
    line += `${paint.nth(colour, `[${points.slice(span.start, span.end).join('')}]`)}${paint.dim(nameOf(span))}`;
    at = span.end;
  }
  return [line + points.slice(at).join('')];
}

function nameOf(span: Span): string {
  return span.entity_group ?? span.entity ?? '?';
}

function renderBars(labels: readonly { label: string; score: number }[], paint: Paint): string[] {
  const shown = labels.slice(0, labelsMax);
  const width = Math.max(...shown.map(({ label }) => label.length));
  return shown.map(({ label, score }, index) => {
    const bar = '█'.repeat(Math.max(0, Math.min(barWidth, Math.round(score * barWidth))));
    const name = index === 0 ? paint.bold(label.padEnd(width)) : label.padEnd(width);
    return `${name} ${paint.cyan(bar.padEnd(barWidth, '·'))} ${(score * 100).toFixed(1)} %`;
  });
}

/** Each of the first places with what stands there in the input's list. */
function renderRanks(places: readonly Place[], input: object, paint: Paint): string[] {
  const list = Object.values(input).find((field) => Array.isArray(field)) ?? [];
  return places.slice(0, labelsMax).map(({ index, score }) => {
    return `${paint.cyan(score.toFixed(3).padStart(7))}  ${String(list[index] ?? `#${index}`)}`;
  });
}

function renderVector(vector: readonly number[]): string[] {
  const first = vector.slice(0, numbersShown).map((value) => value.toFixed(4));
  return [`${vector.length} numbers: ${first.join(', ')}, ...`];
}

function ms(name: string, seconds: number | null): string | undefined {
  if (seconds === null) return undefined;
  const value = seconds * 1000;
  return `${name} ${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

function isListOf(output: unknown, key: string): boolean {
  if (!Array.isArray(output)) return false;
  const [first] = output as unknown[];
  return first !== null && typeof first === 'object' && key in first;
}
