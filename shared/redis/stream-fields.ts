/** Redis gives fields of stream entries, and what XINFO tells, as one flat list: name, value, name, value. */
export function toFields(flat: readonly (string | number)[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[String(flat[i])] = String(flat[i + 1]);
  return fields;
}
