/** A preparation thread for tests: `waits` ends when it is told to, `hangs` never does, anything else gives no rows. */
import type { PreparationResult, PreparationTask } from '../../models/preparation/prepare-thread.ts';

export default async function prepare({ source, abort }: PreparationTask): Promise<PreparationResult> {
  abort?.postMessage('started');
  const does = source.kind === 'text' ? source.text.trim() : '';
  if (does === 'hangs') for (;;);
  if (does === 'waits') return await new Promise((resolve) => abort?.once('message', () => resolve({ aborted: true })));
  abort?.close();
  return { rows: [] };
}
