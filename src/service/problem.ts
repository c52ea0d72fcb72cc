import { type ErrorCode, errorKinds, isErrorCode, NighError } from '../core/errors.js';
import type { Problem } from './schemas.js';

/** One refused parameter of a request. */
export interface ParameterFault {
  readonly in: 'path' | 'query' | 'body' | 'headers';
  readonly parameter: string;
  readonly expected: string;
  readonly got: string;
}

/** A request that does not fit its route's schema. */
export class InvalidRequest extends NighError {
  constructor(
    code: 'INVALID_ARGUMENT' | 'UNKNOWN_OPTION',
    message: string,
    readonly faults: readonly ParameterFault[],
    /** Another status than the code's, where HTTP has one that says more. */
    readonly httpStatus?: number,
  ) {
    super(code, message);
  }

  override get status(): number {
    return this.httpStatus ?? super.status;
  }
}

/** What every problem document's media type is. */
export const problemType = 'application/problem+json; charset=utf-8';

/**
 * The problem document (RFC 9457) of anything that was thrown.
 *
 * Faults of the service (500, 502) keep their code, but what they say may hold paths of the machine: their message goes to the
 * log only.
 */
export function problemOf(error: unknown, requestId?: string): Problem {
  const { code, status, detail, faults } = classify(error);
  const hidden = status === 500 || status === 502;
  const log = requestId === undefined ? '' : ` The log has more under request ${requestId}.`;
  return {
    type: `urn:nigh:error:${code.toLowerCase().replaceAll('_', '-')}`,
    title: errorKinds[code].meaning,
    status,
    detail: hidden ? `The service could not answer.${log}` : detail,
    code,
    ...(requestId === undefined ? {} : { instance: `urn:nigh:request:${requestId}` }),
    ...(faults === undefined ? {} : { errors: faults.map((fault) => ({ ...fault })) }),
  };
}

interface Classified {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly faults?: readonly ParameterFault[];
}

function classify(error: unknown): Classified {
  if (error instanceof InvalidRequest) {
    return { code: error.code, status: error.status, detail: error.message, faults: error.faults };
  }
  if (error instanceof NighError) {
    const { code, status, message } = missedDeadline(error) ?? error;
    return { code, status, detail: message };
  }
  const { code, statusCode, message } = describeForeign(error);
  if (isErrorCode(code)) return { code, status: errorKinds[code].status, detail: message };
  if (code === 'FST_ERR_NOT_FOUND' || statusCode === 404) {
    return { code: 'UNKNOWN_ROUTE', status: 404, detail: message };
  }
  // The framework's own refusals: malformed JSON, an oversized body, another content type, a URL that cannot be decoded.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { code: 'INVALID_ARGUMENT', status: statusCode, detail: message };
  }
  return { code: 'INTERNAL', status: 500, detail: message };
}

/** What aborted a search, where that was the deadline of its request. */
function missedDeadline({ code, cause }: NighError): NighError | undefined {
  return code === 'ABORTED' && cause instanceof NighError && cause.code === 'DEADLINE' ? cause : undefined;
}

/** Code, status and message of an error that is not ours, as far as it has them. */
function describeForeign(error: unknown): { code?: string; statusCode?: number; message: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  return {
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof statusCode === 'number' ? { statusCode } : {}),
    message: error.message,
  };
}
