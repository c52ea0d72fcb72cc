import { NighError } from '../core/errors.js';

/** How bodies are written and read. */
export interface BodyCodec {
  readonly type: string;
  readonly encode: (value: unknown) => Uint8Array<ArrayBuffer> | string;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const text = new TextDecoder();

export const jsonCodec: BodyCodec = {
  type: 'application/json',
  encode: (value) =>
    JSON.stringify(value, (_key, entry: unknown) => (entry instanceof Float32Array ? Array.from(entry) : entry)),
  decode: (bytes) => JSON.parse(text.decode(bytes)) as unknown,
};

/** MessagePack through msgpackr, which is loaded when a client is made that wants it. @throws NighError OPTIONAL_PACKAGE */
export async function messagePackCodec(): Promise<BodyCodec> {
  let msgpackr: typeof import('msgpackr');
  try {
    msgpackr = await import('msgpackr');
  } catch (cause) {
    throw new NighError('OPTIONAL_PACKAGE', 'format "msgpack" needs the package msgpackr.', { cause });
  }
  const packr = new msgpackr.Packr({ useRecords: false, moreTypes: true, int64AsType: 'number' });
  return {
    type: 'application/msgpack',
    // A buffer of its own: the packer goes on writing into the one that it gave.
    encode: (value) => new Uint8Array(packr.pack(value)),
    decode: (bytes) => packr.unpack(bytes) as unknown,
  };
}
