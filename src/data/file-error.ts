import { NighError } from '../core/errors.js';

/**
 * The NighError for what the file system, a stream or a decompressor threw while `path` was read or written: NOT_FOUND, TRUNCATED
 * (a compressed file that ends too early), FORMAT (a damaged one), ABORTED, else IO. A NighError passes unchanged.
 */
export function fileError(path: string, error: unknown): NighError {
  if (error instanceof NighError) return error;
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  const options = { cause: error };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NighError('NOT_FOUND', `${path}: there is no such file.`, options);
    case 'Z_BUF_ERROR':
      return new NighError('TRUNCATED', `${path}: the compressed file ends too early.`, options);
    case 'Z_DATA_ERROR':
      return new NighError('FORMAT', `${path}: the compressed data is damaged (${message}).`, options);
    case 'ABORT_ERR':
      return new NighError('ABORTED', 'The operation was aborted.', options);
    default:
      return new NighError('IO', `${path}: ${message}.`, options);
  }
}
