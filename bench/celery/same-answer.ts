/** Whether two systems gave one answer, so that a race compares the same work. Pure. */

/** Two engines' builds differ in the last digits of float32, two JPEG decoders by one step of a byte. */
const toleranceUsual = 0.01;

/** Null when they are the same; else where they part, as `/0/label: "cat" and "dog"`. Of objects, what `theirs` has. */
export function findDifference(ours: unknown, theirs: unknown, tolerance = toleranceUsual, at = ''): string | null {
  if (typeof ours === 'number' && typeof theirs === 'number')
    return Math.abs(ours - theirs) <= tolerance ? null : differ(ours, theirs, at);
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    if (ours.length !== theirs.length) return differ(`${ours.length} of them`, `${theirs.length} of them`, at);
    return firstOf(theirs.keys(), (index) => findDifference(ours[index], theirs[index], tolerance, `${at}/${index}`));
  }
  if (isRecord(ours) && isRecord(theirs))
    return firstOf(Object.keys(theirs), (key) => findDifference(ours[key], theirs[key], tolerance, `${at}/${key}`));
  return ours === theirs ? null : differ(ours, theirs, at);
}

function firstOf<T>(items: Iterable<T>, find: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = find(item);
    if (found !== null) return found;
  }
  return null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function differ(ours: unknown, theirs: unknown, at: string): string {
  return `${at || '/'}: ${JSON.stringify(ours)} and ${JSON.stringify(theirs)}`;
}
