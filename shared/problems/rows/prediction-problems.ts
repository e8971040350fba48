/** What keeps the record of predictions from an answer. */
import { type ProblemRow, row } from './problem-row.ts';

export const predictionProblems = {
  'predictions-off': row(
    404,
    'Predictions are not recorded',
    'This installation keeps no record of predictions.',
    'Have the operator set `MILLRACE_PREDICTIONS=on`.',
  ),
  'predictions-unavailable': row(
    503,
    'Record of predictions unavailable',
    'The log writer or its database is away. Jobs are not affected, and nothing that ends meanwhile is lost to the record.',
    'Wait for `Retry-After` seconds.',
    true,
  ),
  'nothing-to-learn': row(
    422,
    'Nothing to learn',
    'There is no dataset to export: outputs of this task are nothing to train on, or no judged prediction matches.',
    'Name another task, or send feedback first.',
  ),
} as const satisfies Record<string, ProblemRow>;
