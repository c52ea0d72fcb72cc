import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { throwIfAborted } from '../../core/abort.js';
import { NighError } from '../../core/errors.js';
import { ByteMeter, type FetchContext, metered } from '../load-context.js';

export interface DownloadOptions {
  /** For progress. */
  readonly name: string;
  /** What the user can do when the download fails, a whole sentence. */
  readonly advice: string;
  /** Give up after so long without a byte, in milliseconds. Default 60,000. */
  readonly idleTimeout?: number;
}

/**
 * Downloads a file over HTTP(S), following redirects. On failure the destination may hold a part: give it a temporary place.
 * @throws NighError DOWNLOAD_FAILED with the address and the reason, ABORTED
 */
export async function downloadFile(
  address: string,
  destination: string,
  context: FetchContext,
  { name, advice, idleTimeout = 60_000 }: DownloadOptions,
): Promise<void> {
  throwIfAborted(context.signal);
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), idleTimeout);
  const signal = context.signal === undefined ? idle.signal : AbortSignal.any([context.signal, idle.signal]);
  const failed = (reason: string, cause?: unknown) =>
    new NighError('DOWNLOAD_FAILED', `${address}: ${reason}. ${advice}`, { cause });
  try {
    const response = await fetch(address, { signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw failed(`the server answered ${response.status} ${response.statusText}`.trimEnd());
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const meter = new ByteMeter(context, 'download', name, Number.isFinite(length) ? length : undefined);
    const alive = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of metered(chunks, meter)) {
        timer.refresh();
        yield chunk;
      }
    };
    // Node's stream, also where the browser's types are known beside Node's, as in the tests of the explorer.
    const body = response.body as ReadableStream<Uint8Array>;
    await pipeline(Readable.fromWeb(body), alive, createWriteStream(destination), { signal });
    meter.finish();
  } catch (error) {
    throwIfAborted(context.signal);
    if (error instanceof NighError) throw error;
    if (idle.signal.aborted) throw failed(`nothing came for ${idleTimeout / 1000} s`, error);
    throw failed(reasonOf(error), error);
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
