/** What is loaded where, in lines. Pure. */
import type { LoadedModel } from '../../shared/jobs/model-entry.ts';
import { renderTable } from '../terminal/table.ts';
import { formatBytes } from './format-bytes.ts';

/** One row per version and worker; `2 x 1` are two lanes of one thread. */
export function loadedRows({ id, workers, unloaded_at, status, unfinished_jobs }: LoadedModel): string[][] {
  const jobs = String(unfinished_jobs);
  if (workers.length === 0) return [[id, '-', status, '-', '-', '-', unloaded_at ?? '-', jobs]];
  return workers.flatMap((worker) =>
    worker.versions.map(({ version, state, ready_since, memory_bytes, current }) => [
      id,
      version,
      worker.state === 'unloading' ? 'unloading' : `${state}${current ? '' : ' (leaving)'}`,
      `${worker.device} ${worker.worker}`,
      `${worker.lanes} x ${worker.threads}`,
      memory_bytes > 0 ? formatBytes(memory_bytes * worker.lanes) : '-',
      ready_since ?? '-',
      jobs,
    ]),
  );
}

export const loadedHead = ['MODEL', 'VERSION', 'STATE', 'WORKER', 'LANES', 'MEMORY', 'SINCE', 'JOBS'];

/** Under `show`, where the model is known. */
export function describeVersions(model: LoadedModel): string[] {
  const cells = [loadedHead, ...loadedRows(model)].map((row) => row.slice(1, -1));
  return model.workers.length > 0 ? ['', ...renderTable(cells)] : [];
}

/** Each error once, with where it is from. */
export function loadErrors({ id, workers }: LoadedModel): string[] {
  return [...new Set(workers.flatMap(({ error }) => (error === null ? [] : [`${id}: ${error}`])))];
}
