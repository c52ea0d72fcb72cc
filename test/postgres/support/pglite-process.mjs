// PostgreSQL with pgvector in a process of its own, behind a real socket: forked by pglite-server.ts, told what to do by messages.
//   'start'   listens, at the same port every time; answers { port }
//   'stop'    cuts every connection and listens no more, the data stays; answers {}
// It ends with whoever forked it.
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { withCopy } from './copy-protocol.mjs';

const db = await PGlite.create({ extensions: { vector } });
await db.exec('CREATE EXTENSION vector');
/** @type {PGLiteSocketServer | undefined} */
let server;
let port = 0;

const todo = {
  async start() {
    server = new PGLiteSocketServer({ db: withCopy(db), host: '127.0.0.1', port, maxConnections: 50 });
    await server.start();
    port = Number(server.getServerConn().split(':').at(-1));
    return { port };
  },
  async stop() {
    await server?.stop();
    server = undefined;
    return {};
  },
};

process.on('disconnect', () => process.exit());
process.on('message', async (/** @type {'start' | 'stop'} */ name) => process.send?.(await todo[name]()));
process.send?.({});
