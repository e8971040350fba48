/** What a panel of a shipped dashboard would show now: its expressions, asked of a real Prometheus. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningPrometheus, Series } from '../monitoring/prometheus.ts';
import { fillVariables } from '../monitoring/promql.ts';
import { scaleDurations } from '../monitoring/rule-files.ts';

interface Panel {
  readonly title?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const folder = join(import.meta.dirname, '../../monitoring/grafana/dashboards');

/** All series of the panel, largest first. Windows are those of the rules, times `factor`. */
export async function lookAt(
  prometheus: RunningPrometheus,
  dashboard: string,
  title: string,
  factor: number,
): Promise<readonly Series[]> {
  const { panels } = JSON.parse(readFileSync(join(folder, `${dashboard}.json`), 'utf8')) as { panels: Panel[] };
  const panel = panels.find((one) => one.title === title && one.targets);
  if (!panel?.targets) throw new Error(`Dashboard ${dashboard} has no panel "${title}".`);
  const found = await Promise.all(
    panel.targets.map(({ expr }) => prometheus.query(scaleDurations(fillVariables(expr), factor))),
  );
  return found.flat().sort((a, b) => b.value - a.value);
}
