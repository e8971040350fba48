/** `npm run demo`: one real sample per installed model through the whole system, then serves until Ctrl-C. */
import { defineCommand } from 'citty';
import { addDemoModels } from '../demo/demo-models.ts';
import { suggestNextSteps } from '../demo/next-steps.ts';
import { runSamples } from '../demo/run-samples.ts';
import type { CliCommand, CliContext } from './command.ts';
import { describeUrls, serve, untilAborted } from './serve.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run demo --', description: 'Send a real sample to every model, show the results, then serve.' },
    args: {
      once: { type: 'boolean', default: false, description: 'Stop after the samples; exit 0 only if each was right.' },
    },
    async run({ args, data }) {
      const { env, watchesParent } = data as CliContext;
      // The bootstrap may have installed packages in this very process: that is not the start.
      const startedMs = performance.now();
      process.stderr.write('millrace: starting redis-server, API, worker and webhook delivery\n');
      return await serve({
        env: addDemoModels(env),
        watchesParent,
        view: 'warnings',
        async use(serving) {
          const summary = await runSamples(serving, startedMs);
          process.stdout.write(`\n${describeUrls(serving)}\n\n`);
          if (!args.once) {
            process.stdout.write(suggestNextSteps(serving, summary));
            await untilAborted(serving.signal);
            return 0;
          }
          process.stdout.write(`${summary.line}\n`);
          return summary.isRight ? 0 : 1;
        },
      });
    },
  }),
  examples: [
    'npm run demo',
    'npm run demo -- --once',
    'PORT=8090 ADMIN_PORT=8091 MILLRACE_DATA=/tmp/second npm run demo',
  ],
};

export default command;
