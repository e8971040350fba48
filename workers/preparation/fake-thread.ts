/**
 * A preparation thread for tests: `waits` ends when it is told to, `hangs` never does, any other text gives no rows. Takes
 * no file for a picture.
 */
import { whileWatched } from '../../models/preparation/item-state.ts';
import type { PreparationResult, PreparationTask } from '../../models/preparation/prepare-thread.ts';
import { Problem } from '../../shared/problems/problem.ts';

export default async function prepare({ source, state }: PreparationTask): Promise<PreparationResult> {
  return await whileWatched(state, async (signal) => {
    if (source.kind === 'file') return { problem: new Problem('corrupt-image', 'No picture.').toDetails() };
    const does = source.kind === 'text' ? source.text.trim() : '';
    if (does === 'hangs') for (;;);
    if (does !== 'waits') return { rows: [] };
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { aborted: true };
  });
}
