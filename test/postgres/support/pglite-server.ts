/** PostgreSQL with pgvector inside this process, behind a real socket. One connection at a time does something; others wait. */
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { withCopy } from './copy-protocol.js';

export interface PgliteServer {
  readonly url: string;
  /** Cuts every connection and listens no more; the data stays. */
  stop(): Promise<void>;
  /** Listens again, at the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPglite(): Promise<PgliteServer> {
  const db = await PGlite.create({ extensions: { vector } });
  await db.exec('CREATE EXTENSION vector');
  let server: PGLiteSocketServer | undefined;
  let port = 0;
  const start = async () => {
    server = new PGLiteSocketServer({ db: withCopy(db), host: '127.0.0.1', port, maxConnections: 50 });
    await server.start();
    port = Number(server.getServerConn().split(':').at(-1));
  };
  const stop = async () => {
    await server?.stop();
    server = undefined;
  };
  await start();
  return {
    url: `postgres://postgres:swordfish@127.0.0.1:${port}/postgres`,
    start,
    stop,
    close: async () => {
      await stop();
      await db.close();
    },
  };
}
