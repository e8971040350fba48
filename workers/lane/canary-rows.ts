/** The canary rows of a pipeline, repeated to as many as are asked for. */
import type { Pipeline, Row } from '../../models/task.ts';

export function canaryRows({ canary: { rows } }: Pipeline, count = rows.length): readonly Row[] {
  return Array.from({ length: count }, (_, i) => rows[i % rows.length] as Row);
}
