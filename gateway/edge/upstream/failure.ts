// How an attempt to get an answer from a server can fail: the closed list, and what each failure means for a retry.

/** What became of an attempt that gave no complete answer. */
export type UpstreamFailure =
  | 'connect-failed'
  | 'connect-timeout'
  /** The handshake failed, or the certificate may not be trusted for this server. */
  | 'tls-failed'
  | 'first-byte-timeout'
  | 'idle-timeout'
  | 'closed-before-answer'
  | 'closed-early'
  | 'broken-answer'
  /** Bytes waited on the kept connection before the request was written: nothing of the request was sent. */
  | 'not-sent'
  /** The request was behind another one on the connection, and the one before ended the connection or takes too long. */
  | 'unanswered';

/** A pipelined request waits this long for the one before it; then it goes elsewhere. */
export const pipelineWaitMs = 500;

/**
 * What it means that a connection ended while an answer was due.
 *
 * @param wasBehind  the request before on the connection was answered: a server may close behind any answer, without a word
 */
export function failureOfEnd(hasAnswerBytes: boolean, wasBehind: boolean): UpstreamFailure {
  if (hasAnswerBytes) return 'closed-early';
  return wasBehind ? 'unanswered' : 'closed-before-answer';
}

/** What happened and, where there is one, its cause. */
export function withCause(words: string, cause: string | null): string {
  return cause === null ? words : `${words}: ${cause}`;
}

/**
 * A failure as the access line says it: names of ours, places and kinds. Of what an upstream chose only names of fields.
 *
 * @param cause  what the AnswerReader or the system said; null for nothing
 */
export function failureText(failure: UpstreamFailure | 'too-busy', cause: string | null): string {
  return withCause(textOf(failure), cause);
}

function textOf(failure: UpstreamFailure | 'too-busy'): string {
  switch (failure) {
    case 'connect-failed':
      return 'upstream not reached';
    case 'connect-timeout':
      return 'upstream not reached in time';
    case 'tls-failed':
      return 'upstream not reached over TLS';
    case 'first-byte-timeout':
      return 'upstream gave no answer in time';
    case 'idle-timeout':
      return 'upstream went silent within its answer';
    case 'closed-before-answer':
      return 'upstream ended the connection before an answer';
    case 'closed-early':
      return 'upstream answer broke off';
    case 'broken-answer':
      return 'upstream answer refused';
    case 'not-sent':
      return 'upstream sent what nobody had asked for';
    case 'unanswered':
      return 'upstream ended the connection before this answer';
    case 'too-busy':
      return 'upstream takes no more connections';
    default:
      return failure satisfies never;
  }
}

/** Whether not one byte of the request can have reached the server. */
export function neverOpened(failure: UpstreamFailure): boolean {
  return failure === 'connect-failed' || failure === 'connect-timeout' || failure === 'tls-failed';
}

/** Whether no server is to blame: nothing of the request was sent, or it waited behind another request that went wrong. */
export function isBlameless(failure: UpstreamFailure): boolean {
  return failure === 'not-sent' || failure === 'unanswered';
}

/** Whether a kept connection may fail like this under a server that is well: the server ended it before the request came. */
export function saysNothing(failure: UpstreamFailure): boolean {
  return failure === 'closed-before-answer' || failure === 'not-sent' || failure === 'unanswered';
}
