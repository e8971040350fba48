/** `npm run models`: the model repository, verb by verb. */
import { defineCommand } from 'citty';
import type { CliCommand } from './command.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: { name: 'npm run models --', description: 'List, fetch, check, load, unload and remove models.' },
  }),
  examples: [],
  subCommands: {
    list: () => import('./models/list.ts'),
    show: () => import('./models/show.ts'),
    pull: () => import('./models/pull.ts'),
    add: () => import('./models/add.ts'),
    verify: () => import('./models/verify.ts'),
    load: () => import('./models/load.ts'),
    unload: () => import('./models/unload.ts'),
    ps: () => import('./models/ps.ts'),
    rm: () => import('./models/rm.ts'),
  },
};

export default command;
