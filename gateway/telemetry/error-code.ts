// What may be told of an error in a log, in the store or to an operator. Codes are safe to show; a message may quote what was sent.

/** The code of an error, such as `ECONNREFUSED`; `unknown error` where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
