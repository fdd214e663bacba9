// The part of an error that may stand in a log, in the store or before an operator: its code. A message may quote what a client
// sent.

/** The code of an error, such as `ECONNREFUSED`; `unknown error` where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
