/** A peer that is one program, handed a port and the model; nothing but its command and its answers differ from the next one. */
import type { Caller } from '../../end-to-end/closed-loop.ts';
import type { Subject } from '../../pipeline/subjects.ts';
import { linkModel } from './model-folder.ts';
import {
  embedCaller,
  freePort,
  type ProcessWish,
  type RunningServer,
  ServerProcess,
  type ServerSpec,
} from './server.ts';

export interface LoneServer {
  readonly name: string;
  /** Why it can not run here; null when it can. */
  unable(): Promise<string | null>;
  /** `folder` has the model as servers of others want it. */
  wish(port: number, folder: string, subject: Subject): ProcessWish | Promise<ProcessWish>;
  caller?(port: number): Caller;
}

export function loneServer({ name, unable, wish, caller = embedCaller }: LoneServer): ServerSpec {
  return {
    name,
    unable,
    async start(subject): Promise<RunningServer> {
      const port = await freePort();
      const model = linkModel(subject.files);
      try {
        const server = new ServerProcess(await wish(port, model.folder, subject));
        await server.untilServes(caller(port));
        const stop = () => server.stop().finally(model.remove);
        return { pids: [server.pid], caller: caller(port), stop };
      } catch (error) {
        model.remove();
        throw error;
      }
    },
  };
}
