/** A guess, for an error's words only, at what a refused upload is: its sender sees at once which file went wrong. Pure. */

const kinds: readonly (readonly [start: RegExp, name: string])[] = [
  [/^%PDF-/, 'a PDF'],
  [/^PK/, 'a ZIP archive (Office files are such, too)'],
  [/^\s*<(!doctype html|html|\?xml|svg)/i, 'HTML, XML or SVG'],
  [/^\s*[{[]\s*["{[]/, 'JSON'],
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF[\s\S]{4}WEBP)/, 'an image'],
  [/^(RIFF[\s\S]{4}WAVE|fLaC|OggS|ID3)/, 'audio'],
];

/** `a PDF`, or `null` when the first bytes tell nothing. */
export function nameContent(head: Uint8Array): string | null {
  const start = Buffer.from(head.subarray(0, 64)).toString('latin1');
  return kinds.find(([pattern]) => pattern.test(start))?.[1] ?? null;
}
