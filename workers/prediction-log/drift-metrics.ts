/**
 * Drift as metrics, over all tenants: a day against the week before, refreshed now and then. Bounded labels: the models
 * with most predictions, the most frequent labels of each, and `other`.
 */
import { type SQL, sql } from 'drizzle-orm';
import { Gauge, type Registry } from '../../shared/observability/metrics.ts';
import type { DriftBin } from '../../shared/predictions/words.ts';
import { rowsOf } from './apply-steps.ts';
import type { Database } from './database/open-database.ts';
import { lengthBin, scoreBin, stabilityIndex, topLabels } from './queries/drift.ts';

const modelsMax = 50;
const labelsMax = 10;
const dayMs = 86_400_000;

interface Count extends DriftBin {
  readonly model: string;
}

export class DriftMetrics {
  readonly #psi: Gauge<'model' | 'signal'>;
  readonly #share: Gauge<'model' | 'label'>;

  constructor(registry: Registry) {
    this.#psi = new Gauge({
      name: 'inference_prediction_drift_psi',
      help: 'Population stability index of the last day against the week before; above 0.25 is another distribution.',
      labelNames: ['model', 'signal'],
      registers: [registry],
    });
    this.#share = new Gauge({
      name: 'inference_prediction_label_share',
      help: 'Share of predictions of the last day by best label.',
      labelNames: ['model', 'label'],
      registers: [registry],
    });
  }

  async refresh(db: Database, nowMs: number): Promise<void> {
    const labels = byModel(await countByModel(db, sql`coalesce(label, 'none')`, nowMs));
    const scores = byModel(await countByModel(db, scoreBin, nowMs));
    const lengths = byModel(await countByModel(db, lengthBin, nowMs));
    this.#psi.reset();
    this.#share.reset();
    for (const [model, all] of [...labels].slice(0, modelsMax)) {
      const bins = topLabels(all, labelsMax);
      const signals = { labels: bins, scores: scores.get(model) ?? [], input_lengths: lengths.get(model) ?? [] };
      for (const [signal, of] of Object.entries(signals)) {
        const psi = stabilityIndex(of);
        if (psi !== null) this.#psi.set({ model, signal }, psi);
      }
      const total = bins.reduce((sum, { current }) => sum + current, 0);
      if (total > 0) for (const { name, current } of bins) this.#share.set({ model, label: name }, current / total);
    }
  }
}

async function countByModel(db: Database, name: SQL, nowMs: number): Promise<Count[]> {
  const at = (days: number) => sql`${new Date(nowMs - days * dayMs).toISOString()}::timestamptz`;
  return await rowsOf<Count>(
    db,
    sql`SELECT model, ${name} AS name,
      count(*) FILTER (WHERE finished_at < ${at(1)})::integer AS reference,
      count(*) FILTER (WHERE finished_at >= ${at(1)})::integer AS current
    FROM millrace.predictions
    WHERE status = 'succeeded' AND finished_at >= ${at(8)} AND ${name} IS NOT NULL
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 10000`,
  );
}

/** In the order of the counts: the models with most predictions come first. */
function byModel(counts: readonly Count[]): Map<string, Count[]> {
  return Map.groupBy(counts, ({ model }) => model);
}
