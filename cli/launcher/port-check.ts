/** Sees before anything starts that a port is taken, and by which setting it can be changed. */
import { createServer } from 'node:net';

export class PortInUse extends Error {}

export async function checkPortIsFree(host: string, port: number, setting: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((listening, fail) => {
      server.once('error', fail);
      server.listen(port, host, listening);
    });
  } catch (error) {
    throw explainListenError(error, host, port, setting);
  }
  await new Promise<void>((closed) => server.close(() => closed()));
}

export function explainListenError(error: unknown, host: string, port: number, setting: string): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return new PortInUse(`Port ${port} of ${host} is in use. Set ${setting} to another one.`);
  if (code === 'EACCES')
    return new PortInUse(`Port ${port} is not allowed for this user. Set ${setting} to one above 1023.`);
  return error as Error;
}
