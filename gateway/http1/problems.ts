// Everything that can be wrong with a message, and the status of the answer when a client sent the message.
// Source: RFC 9112, RFC 9110 §15, RFC 6585 §5.

/** Why a message is refused. The words go to logs and metrics, never to the client. */
export type MessageProblem =
  | 'bad-byte'
  | 'head-too-large'
  | 'too-many-fields'
  | 'bad-start-line'
  | 'bad-method'
  | 'method-unknown'
  | 'method-refused'
  | 'target-too-long'
  | 'bad-target'
  | 'bad-version'
  | 'version-unsupported'
  | 'bad-field-name'
  | 'bad-field-line'
  | 'host-missing'
  | 'host-repeated'
  | 'bad-host'
  | 'bad-content-length'
  | 'content-length-repeated'
  | 'bad-transfer-encoding'
  | 'transfer-encoding-repeated'
  | 'both-framings'
  | 'transfer-encoding-on-1.0'
  | 'bad-expectation'
  | 'bad-connection'
  | 'bad-chunk'
  | 'bad-status'
  | 'bad-upgrade'
  | 'upgrade-version';

/** Status of the answer to a client whose message has this problem; the connection ends after that answer. */
export function statusOf(problem: MessageProblem): number {
  switch (problem) {
    case 'head-too-large':
    case 'too-many-fields':
      return 431;
    case 'target-too-long':
      return 414;
    case 'method-refused':
      return 405;
    case 'method-unknown':
      return 501;
    case 'version-unsupported':
      return 505;
    case 'bad-expectation':
      return 417;
    case 'upgrade-version':
      return 426;
    default:
      return 400;
  }
}
