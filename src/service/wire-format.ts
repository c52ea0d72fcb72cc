/**
 * The two forms of a request and an answer: JSON, and MessagePack for callers that ask for it.
 *
 * MessagePack is written with plain maps and without extensions, so that every reader of the format understands it.
 */
import type { FastifyRequest } from 'fastify';
import { Packr } from 'msgpackr';

export const messagePackType = 'application/msgpack';
export const messagePackProblemType = 'application/problem+msgpack';

/** `moreTypes` reads the typed arrays of msgpackr's own writers. */
const packr = new Packr({ useRecords: false, moreTypes: true, int64AsType: 'number' });

/** Whether the answer is to be MessagePack: only where `Accept` names it, and JSON not before it. */
export function wantsMessagePack({ headers: { accept } }: Pick<FastifyRequest, 'headers'>): boolean {
  if (accept === undefined || accept === '*/*') return false;
  const at = accept.indexOf(messagePackType);
  if (at < 0) return false;
  const json = accept.indexOf('application/json');
  return json < 0 || at < json;
}

/** A serialiser for a reply. Fastify sends the bytes that it gives, though its types know of text only. */
export const packMessage = ((value: unknown) => packr.pack(value)) as unknown as (value: unknown) => string;

/**
 * What a JSON body would be: arrays for typed arrays, and for binary, which is read as float32 values, lowest byte first; but a picture, the
 * binary under `image`, becomes base64.
 */
export function unpackMessage(bytes: Buffer): unknown {
  return plain(packr.unpack(bytes) as unknown);
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return floatsOf(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      key === 'image' && entry instanceof Uint8Array ? Buffer.from(entry).toString('base64') : plain(entry),
    ]),
  );
}

function floatsOf(bytes: Uint8Array): number[] | Uint8Array {
  if (bytes.byteLength % 4 !== 0) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(i * 4, true));
}
