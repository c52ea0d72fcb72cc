/**
 * The one error type of nigh, and the one table of its codes.
 *
 * A code never changes its meaning and is safe to branch on; a message may be reworded at any time. Native errors carry the
 * same codes.
 */

interface ErrorKind {
  /** HTTP status of the service's answer. */
  readonly status: number;
  /** One sentence for documentation and for the problem document's `title`. */
  readonly meaning: string;
}

const kinds = {
  INVALID_ARGUMENT: { status: 400, meaning: 'A value is of the wrong type, out of range, or contradicts another.' },
  UNKNOWN_OPTION: { status: 400, meaning: 'An option, recipe key or query parameter does not exist.' },
  DIMENSION_MISMATCH: { status: 400, meaning: 'A vector has another number of dimensions than the index.' },
  NOT_FINITE: { status: 400, meaning: 'A vector or value holds NaN or an infinity.' },
  ZERO_VECTOR: { status: 400, meaning: 'A vector of length zero has no direction, which the cosine metric needs.' },
  DUPLICATE_ID: { status: 409, meaning: 'An id occurs more than once where ids must be distinct.' },
  CAPACITY: { status: 409, meaning: 'The index cannot hold more vectors.' },
  READ_ONLY: {
    status: 409,
    meaning: 'The index is mapped from its file, or the collection was opened for reading only.',
  },
  LOCKED: { status: 409, meaning: 'Another process is writing to this collection.' },
  UNKNOWN_ID: { status: 404, meaning: 'The index holds no vector under this id.' },
  UNKNOWN_COLLECTION: { status: 404, meaning: 'No collection of this name is there.' },
  UNKNOWN_SPACE: { status: 404, meaning: 'The collection has no space of this name.' },
  UNKNOWN_ITEM: { status: 404, meaning: 'The collection has no item with this id or title.' },
  UNKNOWN_USER: { status: 404, meaning: 'The collection has no user with this id.' },
  NO_PICTURE: { status: 404, meaning: 'The collection has no picture of this item.' },
  UNKNOWN_DATASET: { status: 404, meaning: 'No dataset of this name is known.' },
  UNKNOWN_ROUTE: { status: 404, meaning: 'The service has no such route.' },
  NO_VECTOR: { status: 422, meaning: 'The item or user is known but has no vector in this space.' },
  UNSUPPORTED: { status: 422, meaning: 'This kind of index or space cannot do what was asked.' },
  MISSING_COLUMN: { status: 422, meaning: 'A dataset lacks a column that the recipe names.' },
  INVALID_RECORD: { status: 422, meaning: 'A record of a dataset holds a value of the wrong form.' },
  EMPTY_DATASET: { status: 422, meaning: 'A dataset, or the part of it that is needed, has no rows.' },
  OVERLAP_FLOOR: {
    status: 422,
    meaning: 'A new generation answers unlike the one it would replace; the old generation stays live.',
  },
  INVALID_RECIPE: { status: 422, meaning: 'A recipe is not valid JSON or does not follow the schema.' },
  RECALL_FLOOR: {
    status: 422,
    meaning: 'A built index answers below the recall floor; the old generation stays live.',
  },
  NOT_FOUND: { status: 404, meaning: 'A file or directory does not exist.' },
  IO: { status: 500, meaning: 'Reading or writing a file failed.' },
  FORMAT: { status: 500, meaning: 'A file is not of the expected format or contradicts itself.' },
  TRUNCATED: { status: 500, meaning: 'A file is shorter or longer than its header says.' },
  CHECKSUM_MISMATCH: { status: 500, meaning: 'The content of a file does not match its checksum.' },
  VERSION_UNSUPPORTED: { status: 500, meaning: 'A file was written by a newer release.' },
  DOWNLOAD_FAILED: { status: 502, meaning: 'A dataset could not be downloaded.' },
  ABORTED: { status: 499, meaning: 'The operation was aborted by its caller.' },
  CLOSED: { status: 503, meaning: 'The index or collection was closed.' },
  CONNECTION_LOST: { status: 503, meaning: 'The connection to the database was lost, or could not be made.' },
  DATABASE: { status: 502, meaning: 'The database refused what was asked of it.' },
  NOT_READY: { status: 503, meaning: 'The service is starting or stopping.' },
  OUT_OF_MEMORY: { status: 503, meaning: 'Memory could not be allocated.' },
  SIMD_UNSUPPORTED: { status: 500, meaning: 'NIGH_SIMD names a level that this processor or build does not have.' },
  OVERLOADED: { status: 503, meaning: 'The service has more requests than it can answer in time.' },
  DEADLINE: { status: 504, meaning: 'The answer was not ready within the time that a request may take.' },
  RATE_LIMITED: { status: 429, meaning: 'One caller sent more requests than the service allows in a second.' },
  FORBIDDEN: {
    status: 403,
    meaning: 'The service was started without the token that this needs, so nobody may do it.',
  },
  UNAUTHORIZED: { status: 401, meaning: 'The request needs a token, or its token is wrong.' },
  CPU_UNSUPPORTED: { status: 500, meaning: 'The processor lacks instructions that the native core is compiled for.' },
  NATIVE_MISSING: { status: 500, meaning: 'The native core is not built for this platform, or cannot be loaded.' },
  OPTIONAL_PACKAGE: { status: 500, meaning: 'A package that this feature needs is not installed.' },
  INTERNAL: { status: 500, meaning: 'A fault in nigh itself; please report it.' },
} as const satisfies Record<string, ErrorKind>;

/** Every stable error code. */
export type ErrorCode = keyof typeof kinds;

/** Code → HTTP status and meaning. Complete: a test compares it with every code that the sources use. */
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** Whether a string, for instance from the native core, is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(kinds, value);
}

/** What every function of nigh throws, and every promise of it rejects with. */
export class NighError extends Error {
  override readonly name = 'NighError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** HTTP status for this code. */
  get status(): number {
    return errorKinds[this.code].status;
  }
}

/** INVALID_ARGUMENT that says what was expected and what came. */
export function invalidArgument(name: string, expected: string, actual: unknown): NighError {
  return new NighError('INVALID_ARGUMENT', `${name}: expected ${expected}, got ${describe(actual)}.`);
}

/** What a failure says of itself, whatever was thrown. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A short, safe rendering of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean' || value === undefined)
    return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'function' ? 'a function' : `an object (${value.constructor?.name ?? 'no prototype'})`;
}
