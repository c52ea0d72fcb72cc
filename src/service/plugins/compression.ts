import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import type { ServiceApp } from '../type-provider.js';

/** Below it a packet or two is saved at most, for more time than an answer takes. */
const threshold = 8 * 1024;
/** Brotli's higher levels take many times as long for some per cent. */
const brotliLevel = 4;

const encoders = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: brotliLevel, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  gzip: (body: Buffer) => promisify(gzip)(body),
} as const;

/** Compresses large answers, off the event loop, for callers that say they can read it: brotli, else gzip. */
export function addCompression(app: ServiceApp): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const encoding = encodingFor(request.headers['accept-encoding']);
    if (encoding === undefined || !isLarge(payload) || !isCompressible(reply)) return done(null, payload);
    encoders[encoding](Buffer.from(payload)).then((body) => {
      reply
        .header('content-encoding', encoding)
        .header('vary', 'accept, accept-encoding')
        .removeHeader('content-length');
      done(null, body);
    }, done);
  });
}

function isLarge(payload: unknown): payload is string | Uint8Array {
  return (typeof payload === 'string' || payload instanceof Uint8Array) && payload.length >= threshold;
}

/** Texts, and what is made of the same words again and again; pictures are compressed already, but for SVG. */
function isCompressible(reply: FastifyReply): boolean {
  if (reply.hasHeader('content-encoding')) return false;
  return /^text\/|json|msgpack|svg/.test(String(reply.getHeader('content-type') ?? ''));
}

/** The best of ours that `Accept-Encoding` names and does not refuse with `q=0`. */
export function encodingFor(accepted: string | undefined): keyof typeof encoders | undefined {
  if (accepted === undefined) return undefined;
  const named = new Set<string>();
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) named.add(name);
  }
  return (Object.keys(encoders) as (keyof typeof encoders)[]).find((encoding) => named.has(encoding));
}
