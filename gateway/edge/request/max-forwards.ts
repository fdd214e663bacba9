// `Max-Forwards`: an OPTIONS may say after how many neighbours the next one has to answer itself. TRACE is refused anyway,
// and on other methods the field says nothing and goes along. Rule: RFC 9110 §7.6.2.

import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { requestClass } from './field-classes.ts';

/** Whether this OPTIONS may go no further than here. */
export function endsHere(head: RequestHead): boolean {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== requestClass.maxForwards) continue;
    if (/^0+$/.test(head.valueOf(index))) return true;
  }
  return false;
}

/** The field for the next neighbour, one less; nothing when it is no number. */
export function forwardsLine(value: string): string {
  return /^\d{1,15}$/.test(value) ? `Max-Forwards: ${Number(value) - 1}\r\n` : '';
}

/** What the gateway itself says to OPTIONS: which methods get through it. */
export function optionsAnswer(requestId: string, connection: string): string {
  const connectionLine = connection === '' ? '' : `Connection: ${connection}\r\n`;
  const allow = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n';
  return `HTTP/1.1 204 No Content\r\n${allow}${connectionLine}X-Request-Id: ${requestId}\r\n\r\n`;
}
