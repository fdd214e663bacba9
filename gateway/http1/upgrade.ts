// Reads what a request wants to switch to, and whether a 101 really switches to it. Opens nothing, knows no auth.
// What is asked for and not offered is no error: the request goes on as an ordinary one, without the field.
// Rules: RFC 9110 §7.8; RFC 6455 §4.1, §4.2.1 (the request), §4.2.2 (its answer).

import { createHash } from 'node:crypto';
import { withoutBlanks } from '../core/model/blanks.ts';
import { fieldClass } from './field-names.ts';
import { fieldStride, type MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** A sound request for another protocol. */
export interface Upgrade {
  /** Lower case, as offered: `websocket`. */
  readonly protocol: string;
  /** The client's `Sec-WebSocket-Key`; null for any other protocol. */
  readonly webSocketKey: string | null;
}

// RFC 6455 §1.3
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// 16 bytes: 21 characters, a 22nd of which only two bits count, two times padding
const webSocketKeyForm = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * @param offered  lower-case protocols that this route switches to
 * @returns null when the request is an ordinary one; a problem when it asks for a WebSocket and does it wrongly
 */
export function readUpgrade(head: RequestHead, offered: readonly string[]): Upgrade | MessageProblem | null {
  // a 1.0 client cannot mean it (RFC 9110 §7.8: MUST ignore)
  if (!head.hasUpgrade || head.minorVersion === 0) return null;
  const wanted = upgradeTokens(head);
  if (wanted.includes('websocket') && offered.includes('websocket')) return readWebSocket(head, wanted);
  if (!listsUpgrade(head) || head.hasBody) return null;
  const protocol = wanted.find((token) => offered.includes(token));
  return protocol === undefined ? null : { protocol, webSocketKey: null };
}

/** Whether a 101 is the answer to this upgrade. Anything else must not become a tunnel. */
export function completesUpgrade(head: ResponseHead, upgrade: Upgrade): boolean {
  if (head.status !== 101 || head.minorVersion !== 1 || head.saysClose || !listsUpgrade(head)) return false;
  const tokens = upgradeTokens(head);
  if (tokens.length !== 1 || tokens[0] !== upgrade.protocol) return false;
  if (upgrade.webSocketKey === null) return true;
  const proof = createHash('sha1')
    .update(upgrade.webSocketKey + webSocketGuid)
    .digest('base64');
  return onlyValue(head, 'sec-websocket-accept') === proof;
}

function readWebSocket(head: RequestHead, wanted: readonly string[]): Upgrade | MessageProblem {
  // half a handshake is somebody's attempt to have two servers disagree on where HTTP ends
  if (head.method !== 'GET' || head.hasBody || !listsUpgrade(head) || wanted.length !== 1) return 'bad-upgrade';
  // the next hop would see another handshake than this one
  if (head.connectionNames?.some((name) => name.startsWith('sec-websocket-'))) return 'bad-upgrade';
  const key = onlyValue(head, 'sec-websocket-key');
  if (key === null || !webSocketKeyForm.test(key)) return 'bad-upgrade';
  const version = onlyValue(head, 'sec-websocket-version');
  if (version === null) return 'bad-upgrade';
  return version === '13' ? { protocol: 'websocket', webSocketKey: key } : 'upgrade-version';
}

/** The value of a field that stands there exactly once; null otherwise. */
export function onlyValue(head: MessageHead, lowerCaseName: string): string | null {
  let found: string | null = null;
  for (let index = 0; index < head.fieldCount; index++) {
    // by the colon's place first: a name's text is made only where its length is right
    const start = head.fields[index * fieldStride + 1] as number;
    if (head.text.charCodeAt(start + lowerCaseName.length) !== 0x3a) continue;
    if (head.nameOf(index).toLowerCase() !== lowerCaseName) continue;
    if (found !== null) return null;
    found = head.valueOf(index);
  }
  return found;
}

/** Every protocol that the message names, in order, lower case. */
function upgradeTokens(head: MessageHead): string[] {
  const tokens: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== fieldClass.upgrade) continue;
    for (const part of head.valueOf(index).split(',')) {
      const token = withoutBlanks(part).toLowerCase();
      if (token !== '') tokens.push(token);
    }
  }
  return tokens;
}

function listsUpgrade(head: MessageHead): boolean {
  return head.connectionNames?.includes('upgrade') ?? false;
}
