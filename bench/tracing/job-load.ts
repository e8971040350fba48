/**
 * What a job of one item makes tracing do in API and worker, without the job: the head's decision, the look at its record,
 * its rows in an engine call of sixteen, and, when it is recorded, every span of a whole job.
 */

import type { Call } from '../../api/http/call.ts';
import { RequestTrace } from '../../api/tracing/request-trace.ts';
import type { ModelFiles } from '../../models/repository/model-files.ts';
import type { JobRequest } from '../../shared/jobs/job.ts';
import type { StartedClaim } from '../../shared/jobs/store/words.ts';
import type { Tracing } from '../../shared/observability/tracing/span.ts';
import type { QueuedRow } from '../../workers/running/running-job.ts';
import { queueRow, RunningJob } from '../../workers/running/running-job.ts';
import type { EngineCalls } from '../../workers/tracing/engine-calls.ts';
import { JobTrace } from '../../workers/tracing/job-trace.ts';

export const jobsPerCall = 16;
/** Eleven a recorded job, and the call's own. */
export const spansPerCall = 11 * jobsPerCall + 1;

const files = { id: 'noop', version: '1' } as ModelFiles;
const call = { request: { method: 'POST' }, route: '/v1/jobs', id: 'req_1', tenant: 'default', job: 'job_1' };
const row = { tensors: {}, length: 12, shapeKey: 'x', context: null };
const result = { kind: 'ran', outcomes: [], computeMs: 1, postprocessMs: 0.1, wallMs: 1.2 } as const;

/** Sixteen jobs that share a call. Returns how many were recorded. */
export function runCall(tracing: Tracing, calls: EngineCalls, header: string | undefined): number {
  const rows: QueuedRow[] = [];
  const jobs: RunningJob[] = [];
  for (let i = 0; i < jobsPerCall; i++) {
    const job = begin(tracing, header);
    jobs.push(job);
    const nowMs = performance.now();
    job.trace?.prepared(0, nowMs, 1);
    rows.push(queueRow({ ...job.openItem(0), rowsOpen: 1 }, row, 0, 'noop', nowMs));
  }
  calls.open('lane-0', rows, 1.1);
  calls.close('lane-0', result);
  for (const job of jobs) {
    job.trace?.settled(0, 'succeeded', 'none', performance.now(), 'job-ended');
    job.end();
  }
  return jobs.filter(({ trace }) => trace !== null).length;
}

/** The API's part, and the worker's claim. */
function begin(tracing: Tracing, header: string | undefined): RunningJob {
  const startedMs = performance.now();
  const traceparent = tracing.accept(header, true);
  const trace = RequestTrace.of(tracing, traceparent, header);
  trace?.stage('read request', startedMs);
  trace?.stage('admission', startedMs);
  trace?.describe({ 'millrace.model': 'noop', 'millrace.task': 'feature-extraction', 'millrace.items': 1 });
  trace?.end({ ...call, startedMs } as unknown as Call, 202);
  const request = { id: 'job_1', priority: 'normal', items: 1, traceparent } as JobRequest;
  const claim = {
    ...{
      state: 'started',
      ref: { tenant: 'default', id: 'job_1' },
      version: '1',
      request,
      input: [],
      attempts: 1,
      crashes: 0,
    },
    createdMs: 1,
    startedMs: 2,
  };
  const started = { ...claim, finishedItems: new Set<number>() } as StartedClaim;
  return new RunningJob(started, files, JobTrace.follow(tracing, started, files));
}
