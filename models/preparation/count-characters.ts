/** How much text an item holds, whatever its shape. Pure. */

/** UTF-16 units of all texts in a value, keys left out. */
export function countCharacters(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + countCharacters(inner), 0);
}
