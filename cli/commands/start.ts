/** `npm start`: serves until Ctrl-C or SIGTERM. */
import { defineCommand } from 'citty';
import type { CliCommand, CliContext } from './command.ts';
import { describeUrls, serve, untilAborted } from './serve.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm start',
      description: 'Serve the API until Ctrl-C; redis-server included unless REDIS_URL is set.',
    },
    async run({ data }) {
      const { env, watchesParent } = data as CliContext;
      return await serve({
        env,
        watchesParent,
        view: process.stderr.isTTY ? 'readable' : 'json',
        async use(serving) {
          process.stdout.write(`\nMillrace serves. Ctrl-C stops it.\n\n${describeUrls(serving)}\n\n`);
          await untilAborted(serving.signal);
          return 0;
        },
      });
    },
  }),
  examples: [
    'npm start',
    'PORT=8090 ADMIN_PORT=8091 MILLRACE_DATA=/var/lib/millrace npm start',
    'REDIS_URL=redis://localhost:6379 npm start',
    'MODELS_DIR=./my-models npm start',
  ],
};

export default command;
