import { type ErrorCode, isErrorCode, NighError } from '../core/errors.js';

/** One refused parameter of a request. */
export interface ParameterFault {
  readonly in: string;
  readonly parameter: string;
  readonly expected: string;
  readonly got: string;
}

/** What the service answered instead of an answer: its problem document as an error. */
export class ServiceError extends NighError {
  /** The HTTP status of the answer; 0 where there was none. */
  readonly httpStatus: number;
  /** The id under which the service's log has more, if it said one. */
  readonly requestId: string | undefined;
  /** Every parameter that was refused. */
  readonly faults: readonly ParameterFault[];

  constructor(
    code: ErrorCode,
    message: string,
    details: {
      readonly httpStatus: number;
      readonly requestId?: string | undefined;
      readonly faults?: readonly ParameterFault[];
      readonly cause?: unknown;
    },
  ) {
    super(code, message, details.cause === undefined ? {} : { cause: details.cause });
    this.httpStatus = details.httpStatus;
    this.requestId = details.requestId;
    this.faults = details.faults ?? [];
  }

  override get status(): number {
    return this.httpStatus === 0 ? super.status : this.httpStatus;
  }
}

/** The error that a problem document tells of; anything else, as a proxy in between may send it, becomes INTERNAL. */
export function errorOf(httpStatus: number, requestId: string | undefined, body: unknown): ServiceError {
  const { code, detail, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const message = typeof detail === 'string' ? detail : `The service answered with status ${httpStatus}.`;
  return new ServiceError(isErrorCode(code) ? code : 'INTERNAL', message, {
    httpStatus,
    requestId,
    faults: Array.isArray(errors) ? (errors as ParameterFault[]) : [],
  });
}
