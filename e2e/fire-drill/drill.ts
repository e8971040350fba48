/**
 * One system under steady traffic with everything that watches it: Prometheus always, Jaeger where it is installed. What
 * a drill needs to break it, look at it and mend it.
 */
import { findTool } from '../../shared/testing/find-tool.ts';
import { waitUntil } from '../../shared/testing/wait-until.ts';
import { type RunningPrometheus, type Series, startPrometheus } from '../monitoring/prometheus.ts';
import { type RunningSystem, startSystem } from '../system/running-system.ts';
import { type RunningJaeger, startJaeger } from '../tracing/jaeger.ts';
import { lookAt } from './dashboards.ts';
import { commandsOf, runCommands, type Step } from './runbook.ts';

/** An hour of the rules passes in 36 s. */
const factor = 1 / 100;
/** Some fire after 10 s on quiet cores. */
const firesMs = 120_000;
const model = 'starter-ner-groceries';
/** Long enough that a call takes some ms: a shorter one slips through a throttled core. */
export const text = 'milk 3.2% 1l, bread, молоко простоквашино 2,5% 930 мл '.repeat(3);

/** Two callers: one that behaves, and one that may not. */
export const tenants = { shop: 'shop-key-0123456789', loud: 'loud-key-0123456789' } as const;
export type Tenant = keyof typeof tenants;

export class Drill {
  readonly system: RunningSystem;
  readonly prometheus: RunningPrometheus;
  readonly jaeger: RunningJaeger | null;
  readonly #stopping = new AbortController();
  #traffic: Promise<void> = Promise.resolve();
  /** A webhook for the steady traffic, when a drill wants one. */
  webhook: string | undefined;

  private constructor(system: RunningSystem, prometheus: RunningPrometheus, jaeger: RunningJaeger | null) {
    this.system = system;
    this.prometheus = prometheus;
    this.jaeger = jaeger;
  }

  static async start(): Promise<Drill> {
    const jaeger = findTool('jaeger') ? await startJaeger() : null;
    const env = {
      MILLRACE_API_KEYS: Object.entries(tenants)
        .map(([tenant, key]) => `${tenant}=${key}`)
        .join(','),
      MILLRACE_ALLOW_HOSTS: '127.0.0.0/8',
      MILLRACE_TENANT_MAX: '200',
      // Not part of any drill, and its database takes a core for seconds when it starts.
      MILLRACE_PREDICTIONS: 'off',
      OTEL_TRACES_SAMPLER_ARG: '1',
      ...(jaeger && { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp }),
    };
    const system = await startSystem({ env, models: [model], key: tenants.shop });
    const targets = { millrace: [new URL(system.adminUrl).host] };
    const drill = new Drill(system, await startPrometheus({ targets, factor }), jaeger);
    drill.#traffic = drill.#keepSending();
    return drill;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#traffic;
    await this.prometheus.stop();
    await this.system.stop();
    await this.jaeger?.stop();
  }

  async submit(tenant: Tenant, fields: Readonly<Record<string, unknown>>, waitSeconds = 0): Promise<Response> {
    return await fetch(`${this.system.url}/v1/jobs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tenants[tenant]}`,
        'content-type': 'application/json',
        ...(waitSeconds > 0 && { prefer: `wait=${waitSeconds}` }),
      },
      body: JSON.stringify({ model, ...fields }),
      signal: AbortSignal.timeout(waitSeconds * 1000 + 60_000),
    });
  }

  async ask(tenant: Tenant, path: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${tenants[tenant]}` };
    const response = await fetch(`${this.system.url}${path}`, { headers, signal: AbortSignal.timeout(60_000) });
    return await response.json();
  }

  /** Labels of the alert once it fires. */
  async untilFires(alert: string): Promise<Readonly<Record<string, string>>> {
    let labels: Readonly<Record<string, string>> | undefined;
    await waitUntil(
      `${alert} fires`,
      async () => {
        [labels] = await this.#firing(alert);
        return labels !== undefined;
      },
      firesMs,
    );
    return labels as Readonly<Record<string, string>>;
  }

  async untilSilent(alert: string): Promise<void> {
    await waitUntil(`${alert} is over`, async () => (await this.#firing(alert)).length === 0, firesMs);
  }

  async #firing(alert: string): Promise<Readonly<Record<string, string>>[]> {
    const alerts = await this.prometheus.alerts();
    return alerts
      .filter(({ labels, state }) => labels['alertname'] === alert && state === 'firing')
      .map(({ labels }) => labels);
  }

  async panel(dashboard: string, title: string): Promise<readonly Series[]> {
    return await lookAt(this.prometheus, dashboard, title, factor);
  }

  /** Runs what the alert's page says. */
  async runbook(alert: string, step: Step, tenant: Tenant = 'shop'): Promise<string> {
    return await this.say(commandsOf(alert, step).replaceAll(/^KEY=<[^>]*> /gm, ''), tenant);
  }

  /** Runs words of the runbooks' tools. */
  async say(commands: string, tenant: Tenant = 'shop'): Promise<string> {
    return await runCommands(commands, {
      API: this.system.url,
      ADMIN: this.system.adminUrl,
      PROM: this.prometheus.url,
      MILLRACE_DATA: this.system.dataDir,
      KEY: tenants[tenant],
    });
  }

  /** Ten texts a second by the tenant that behaves; refusals and outages are the drill's business, not the caller's. */
  async #keepSending(): Promise<void> {
    const { signal } = this.#stopping;
    for (let n = 0; !signal.aborted; n++) {
      const webhook = this.webhook && { webhook: { url: this.webhook, events: ['succeeded'] } };
      void this.submit('shop', { input: `${text} ${n % 10}%`, ...webhook })
        .then((response) => response.arrayBuffer())
        .catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
