/**
 * Grafana's JSON from a few words: a dashboard is rows of panels, a panel is a title, a unit and its queries. Owns what
 * Grafana wants around them (ids, places, schema). Pure; what is shown stands in the files beside.
 */

export interface Query {
  /** PromQL. `$__rate_interval` and the dashboard's variables may stand in it. */
  readonly expr: string;
  /** Grafana's legend: `{{label}}`. */
  readonly legend: string;
}

export type Unit = 's' | 'bytes' | 'percentunit' | 'short' | 'ops' | 'celsius' | 'watt' | 'none' | 'mbytes' | 'Bps';

export interface PanelWish {
  readonly title: string;
  readonly about: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly kind?: 'timeseries' | 'stat' | 'table';
  /** Of 24; 8 when absent. */
  readonly width?: number;
  readonly isStacked?: boolean;
  /** From this value on it is bad. */
  readonly badFrom?: number;
  readonly links?: readonly Link[];
}

export interface Link {
  readonly title: string;
  readonly url: string;
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Values of a label, or what stands in a text box. */
  readonly values: { readonly metric: string; readonly label: string } | { readonly text: string };
}

export interface DashboardWish {
  /** Its file, and its uid behind `millrace-`. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly { readonly title: string; readonly panels: readonly PanelWish[] }[];
}

/** Grafana 11 and 12 read it; a newer one migrates it by itself. */
const schemaVersion = 39;
const columns = 24;
const heights = { stat: 4, timeseries: 8, table: 8 } as const;
/** Provisioned in `monitoring/grafana/provisioning/datasources`. */
const datasource = { type: 'prometheus', uid: 'prometheus' } as const;

/** Where Jaeger and the queue board are; whoever looks may say otherwise in the boxes at the top. */
const everywhere: readonly Variable[] = [
  { name: 'jaeger', label: 'Jaeger', values: { text: 'http://localhost:16686' } },
  { name: 'board', label: 'Board', values: { text: 'http://localhost:8081/admin' } },
];

export function renderDashboard({ name, title, about, variables, rows }: DashboardWish): object {
  return {
    uid: `millrace-${name}`,
    title: `Millrace: ${title}`,
    description: about,
    tags: ['millrace'],
    schemaVersion,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [alertMarks] },
    links: [
      {
        type: 'dashboards',
        title: 'Millrace',
        tags: ['millrace'],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
      link('Traces', '$jaeger/search?service=millrace-worker'),
      link('Queues', '$board/queues'),
    ],
    templating: { list: [...variables, ...everywhere].map(renderVariable) },
    panels: placePanels(rows),
  };
}

/** When an alert fired, as a mark in every graph. */
const alertMarks = {
  name: 'Alerts',
  datasource,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertstate="firing"}',
  titleFormat: '{{alertname}}',
  step: '30s',
} as const;

function link(title: string, url: string) {
  return { type: 'link', title, url, targetBlank: true, icon: 'external link' };
}

function renderVariable({ name, label, values }: Variable): object {
  if ('text' in values)
    return { type: 'textbox', name, label, query: values.text, current: { text: values.text, value: values.text } };
  const query = `label_values(${values.metric}, ${values.label})`;
  return {
    type: 'query',
    name,
    label,
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

/** Left to right, wrapped at the edge; every row below the one before. */
function placePanels(rows: DashboardWish['rows']): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const wish of row.panels) {
      const w = wish.width ?? 8;
      if (x + w > columns) {
        x = 0;
        y += height;
        height = 0;
      }
      const h = heights[wish.kind ?? 'timeseries'];
      panels.push({ id: panels.length + 1, gridPos: { x, y, w, h }, ...renderPanel(wish) });
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

function renderPanel({
  title,
  about,
  unit,
  queries,
  kind = 'timeseries',
  isStacked,
  badFrom,
  links = [],
}: PanelWish): object {
  const steps = [{ color: 'green', value: null }, ...(badFrom === undefined ? [] : [{ color: 'red', value: badFrom }])];
  const defaults = {
    unit,
    min: 0,
    thresholds: { mode: 'absolute', steps },
    links: links.map((each) => ({ ...each, targetBlank: true })),
    ...(kind === 'timeseries' && { custom: drawing(isStacked === true, badFrom !== undefined) }),
  };
  return {
    type: kind,
    title,
    description: about,
    datasource,
    fieldConfig: { defaults, overrides: [] },
    options: optionsOf(kind),
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat: legend,
      ...(kind === 'timeseries' ? { range: true } : { instant: true }),
      ...(kind === 'table' && { format: 'table' }),
    })),
  };
}

function drawing(isStacked: boolean, showsThreshold: boolean) {
  return {
    lineWidth: 1,
    fillOpacity: isStacked ? 30 : 5,
    showPoints: 'never',
    stacking: { mode: isStacked ? 'normal' : 'none' },
    thresholdsStyle: { mode: showsThreshold ? 'line' : 'off' },
  };
}

function optionsOf(kind: NonNullable<PanelWish['kind']>): object {
  if (kind === 'stat')
    return { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'area', textMode: 'auto' };
  if (kind === 'table') return { showHeader: true };
  return {
    legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
    tooltip: { mode: 'multi', sort: 'desc' },
  };
}
