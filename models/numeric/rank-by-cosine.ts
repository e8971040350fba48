/** The places of the other vectors, nearest in direction first, each with its cosine. Pure. */
export function rankByCosine(
  vector: readonly number[],
  others: readonly (readonly number[])[],
): { index: number; cosine: number }[] {
  return others
    .map((other, index) => ({ index, cosine: dot(vector, other) / (norm(vector) * norm(other)) }))
    .sort((a, b) => b.cosine - a.cosine);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function norm(vector: readonly number[]): number {
  return Math.sqrt(dot(vector, vector));
}
