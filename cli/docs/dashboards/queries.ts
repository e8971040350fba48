/** PromQL that several panels share, and the stages of a job in their order. Pure. */
import type { Link, Query } from './dashboard.ts';

export const stages = [
  ['queue wait', 'inference_queue_wait_seconds', true],
  ['prepare', 'inference_prepare_seconds', true],
  ['batch wait', 'inference_batch_wait_seconds', true],
  ['compute', 'inference_compute_seconds', true],
  ['postprocess', 'inference_postprocess_seconds', true],
  ['finish', 'inference_finish_seconds', false],
] as const;

export function quantile(q: number, histogram: string, matchers = '', by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket${matchers}[$__rate_interval])))`;
}

export function perSecond(counter: string, by: string, matchers = ''): string {
  return `sum by (${by}) (rate(${counter}${matchers}[$__rate_interval]))`;
}

/** One line per stage. Finish is not the model's affair, so it has no such label. */
export function stageLines(q: number, matchers: string): Query[] {
  return stages.map(([legend, histogram, isOfModel]) => ({
    expr: quantile(q, histogram, isOfModel ? matchers : ''),
    legend,
  }));
}

/** Grafana's words for a label of the line that was clicked. */
const fieldLabel = (name: string): string => `\${__field.labels.${name}}`;

/** Traces of a model that took long, and the queue behind a line. */
export const slowTraces: Link = {
  title: 'Slow traces of this model',
  url: `$jaeger/search?service=millrace-worker&minDuration=1s&tags={"millrace.model":"${fieldLabel('model')}"}`,
};
export const queueOnBoard: Link = {
  title: 'This queue on the board',
  url: `$board/queues/queue/${fieldLabel('queue')}`,
};
