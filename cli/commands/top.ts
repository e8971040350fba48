/** `npm run top`: the running system at a glance, from its metrics; one picture with --once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from 'citty';
import { readSettings, type Settings } from '../../shared/config/settings.ts';
import { adminOrigin } from '../admin-origin.ts';
import { findEmbeddedRedis } from '../launcher/embedded-redis.ts';
import { createPaint, type Paint } from '../terminal/paint.ts';
import { renderTop } from '../top/render.ts';
import { CanNotConnect, scrape } from '../top/scrape.ts';
import type { Snapshot } from '../top/snapshot.ts';
import { Tenants } from '../top/tenants.ts';
import { buildView } from '../top/view.ts';
import { watch } from '../top/watch.ts';
import type { CliCommand, CliContext } from './command.ts';

const everyMs = 2000;
/** Between the two readings of --once. */
const onceMs = 1000;
const onceColumns = 100;
const onceRows = 500;

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run top --',
      description:
        'Live queues, models, lanes and tenants, like top; q quits. URLs of metrics pages replace the admin port.',
    },
    args: {
      once: { type: 'boolean', default: false, description: 'Print one picture of one second and end: for scripts.' },
    },
    async run({ args, data }) {
      const { env, rawArgs } = data as CliContext;
      const urls = rawArgs.filter((word) => word !== '--once');
      const strange = urls.find((word) => !/^https?:\/\//.test(word) || !URL.canParse(word));
      if (strange !== undefined) {
        process.stderr.write(`npm run top has no "${strange}". See: npm run top -- --help\n`);
        return 1;
      }
      const settings = readSettings(env);
      const top = new Top(settings, urls.length > 0 ? urls : [`${adminOrigin(settings)}/metrics`]);
      const { stdin: input, stdout: output } = process;
      const isTerminal = output.isTTY === true && input.isTTY === true;
      const paint = createPaint(isTerminal && !args.once, env);
      try {
        if (args.once || !isTerminal) return await top.once(paint);
        await top.read();
        return await watch({ draw: (columns, rows) => top.draw(columns, rows, paint), input, output, everyMs });
      } catch (error) {
        if (!(error instanceof CanNotConnect)) throw error;
        process.stderr.write(`${error.message}\n`);
        return 1;
      } finally {
        top.stop();
      }
    },
  }),
  passesArguments: true,
  examples: [
    'npm run top',
    'npm run top -- --once',
    'ADMIN_PORT=8091 MILLRACE_DATA=/tmp/millrace-2 npm run top',
    'docker compose exec board millrace top http://{api,worker,delivery}:9464/metrics',
  ],
};

class Top {
  readonly #urls: readonly string[];
  readonly #token: string | undefined;
  readonly #tenants: Tenants;
  #before: Snapshot | undefined;

  constructor(settings: Settings, urls: readonly string[]) {
    this.#urls = urls;
    this.#token = settings.adminToken;
    this.#tenants = new Tenants(settings.redisUrl ?? findEmbeddedRedis(settings.dataDir)?.url);
  }

  /** The first reading, so that the first picture has rates. */
  async read(): Promise<void> {
    this.#before = await scrape(this.#urls, this.#token);
  }

  async draw(columns: number, rows: number, paint: Paint): Promise<string[]> {
    const [now, tenants] = await Promise.all([scrape(this.#urls, this.#token), this.#tenants.read()]);
    const view = buildView(this.#before ?? now, now, tenants);
    this.#before = now;
    const title = `millrace top   ${new Date().toTimeString().slice(0, 8)}   ${this.#urls.join(' ')}`;
    return renderTop(view, { title, columns, rows, paint });
  }

  async once(paint: Paint): Promise<number> {
    await this.read();
    await sleep(onceMs);
    process.stdout.write(`${(await this.draw(onceColumns, onceRows, paint)).join('\n')}\n`);
    return 0;
  }

  stop(): void {
    this.#tenants.stop();
  }
}

export default command;
