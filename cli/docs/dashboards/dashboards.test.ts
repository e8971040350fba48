/** The committed dashboards are those of the code, and what Grafana's schema wants. Their queries: e2e/monitoring. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { root } from '../../commands/run-tool.ts';
import { dashboardsFolder, renderDashboards } from './write-dashboards.ts';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Place;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { uid: string } }[];
}
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly Panel[];
}

const folder = join(root, dashboardsFolder);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const dashboards = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard);
const provisioned = parse(
  readFileSync(join(root, 'monitoring/grafana/provisioning/datasources/millrace.yml'), 'utf8'),
) as { datasources: { uid: string; type: string }[] };

test('the committed dashboards are those that the code gives', () => {
  const rendered = renderDashboards();
  assert.deepEqual(files.sort(), [...rendered.keys()].sort(), 'type: npm run docs, and remove what is left over');
  for (const [name, text] of rendered)
    assert.equal(readFileSync(join(folder, name), 'utf8'), text, `${name}: type npm run docs`);
});

test('every dashboard has a uid and a title of its own, and a schema that Grafana migrates', () => {
  assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, 6);
  assert.equal(new Set(dashboards.map(({ title }) => title)).size, 6);
  for (const { uid, schemaVersion } of dashboards) {
    assert.match(uid, /^[a-zA-Z0-9_-]{1,40}$/);
    assert.ok(schemaVersion >= 36, uid);
  }
});

for (const { uid, panels, templating } of dashboards) {
  test(`${uid}: every panel has its own place on 24 columns`, () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const [at, panel] of panels.entries()) {
      const { x, w } = panel.gridPos;
      assert.ok(x >= 0 && x + w <= 24, panel.title);
      for (const other of panels.slice(at + 1))
        assert.ok(!overlaps(panel.gridPos, other.gridPos), `${panel.title} lies on ${other.title}`);
    }
  });

  test(`${uid}: every panel says what it shows, in which unit, from a provisioned source`, () => {
    const variables = new Set([...templating.list.map(({ name }) => name), '__rate_interval', '__field']);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      assert.ok(panel.description, panel.title);
      assert.ok(panel.fieldConfig?.defaults.unit, panel.title);
      assert.ok(
        provisioned.datasources.some(
          ({ uid, type }) => uid === panel.datasource?.uid && type === panel.datasource.type,
        ),
        panel.title,
      );
      assert.ok((panel.targets?.length ?? 0) > 0, panel.title);
      for (const [, name] of JSON.stringify(panel).matchAll(/\$\{?(\w+)/g))
        assert.ok(variables.has(name as string), `${panel.title} uses $${name}`);
    }
  });
}

function overlaps(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
