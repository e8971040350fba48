/** The dashboards as files: what `npm run docs` writes into monitoring/grafana/dashboards, and what Grafana reads there. */
import { bulk } from './bulk.ts';
import { renderDashboard } from './dashboard.ts';
import { device } from './device.ts';
import { model } from './model.ts';
import { overview } from './overview.ts';
import { slo } from './slo.ts';
import { webhooks } from './webhooks.ts';

export const dashboards = [overview, model, device, bulk, webhooks, slo];

/** Relative to the top of the repository. */
export const dashboardsFolder = 'monitoring/grafana/dashboards';

/** File name -> content. */
export function renderDashboards(): ReadonlyMap<string, string> {
  return new Map(
    dashboards.map((wish) => [`${wish.name}.json`, `${JSON.stringify(renderDashboard(wish), null, 2)}\n`]),
  );
}
