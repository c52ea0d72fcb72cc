/** PostgreSQL with pgvector in a process of its own, behind a real socket. One connection at a time does something; others wait. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface PgliteServer {
  readonly url: string;
  /** Cuts every connection and listens no more; the data stays. */
  stop(): Promise<void>;
  /** Listens again, at the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPglite(): Promise<PgliteServer> {
  const child = fork(join(import.meta.dirname, 'pglite-process.mjs'), { execArgv: [] });
  const answer = async (): Promise<{ readonly port?: number }> => {
    const ended = once(child, 'exit').then(([status]) => {
      throw new Error(`PGlite ended with ${status}.`);
    });
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  const tell = (what: 'start' | 'stop') => {
    const answered = answer();
    child.send(what);
    return answered;
  };
  await answer();
  const { port } = await tell('start');
  return {
    url: `postgres://postgres:swordfish@127.0.0.1:${port}/postgres`,
    start: async () => void (await tell('start')),
    stop: async () => void (await tell('stop')),
    close: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
