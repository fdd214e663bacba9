// Reads which protocol a request wants to switch to, and whether a 101 really switches to that protocol. It opens no tunnel and
// knows no auth. A protocol that the route does not offer is no error: the request goes on without its `Upgrade` field.
// Rules: RFC 9110 §7.8; RFC 6455 §4.1, §4.2.1 (the request), §4.2.2 (its answer).

import { createHash } from 'node:crypto';
import { withoutBlanks } from '../core/model/blanks.ts';
import { fieldClass } from './field-names.ts';
import { fieldStride, type MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** A valid request to switch to another protocol. */
export interface Upgrade {
  /** The protocol's name in lower case, as the route offers it: `websocket`. */
  readonly protocol: string;
  /** The client's `Sec-WebSocket-Key`; null for any other protocol. */
  readonly webSocketKey: string | null;
}

// RFC 6455 §1.3
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// 16 bytes in base64: 21 characters, a 22nd with only two used bits, and two characters of padding
const webSocketKeyForm = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * @param offered  lower-case names of the protocols that this route offers
 * @returns null for a request that is forwarded without an upgrade; a problem for an invalid WebSocket handshake
 */
export function readUpgrade(head: RequestHead, offered: readonly string[]): Upgrade | MessageProblem | null {
  // RFC 9110 §7.8: a server MUST ignore `Upgrade` in an HTTP/1.0 request
  if (!head.hasUpgrade || head.minorVersion === 0) return null;
  const wanted = upgradeTokens(head);
  if (wanted.includes('websocket') && offered.includes('websocket')) return readWebSocket(head, wanted);
  if (!listsUpgrade(head) || head.hasBody) return null;
  const protocol = wanted.find((token) => offered.includes(token));
  return protocol === undefined ? null : { protocol, webSocketKey: null };
}

/** Whether a response is a 101 that answers this upgrade. No other response may become a tunnel. */
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
  // half a handshake is an attempt to make two servers disagree about where HTTP ends
  if (head.method !== 'GET' || head.hasBody || !listsUpgrade(head) || wanted.length !== 1) return 'bad-upgrade';
  // a header that `Connection` lists is removed, so the next hop would see another handshake than this one
  if (head.connectionNames?.some((name) => name.startsWith('sec-websocket-'))) return 'bad-upgrade';
  const key = onlyValue(head, 'sec-websocket-key');
  if (key === null || !webSocketKeyForm.test(key)) return 'bad-upgrade';
  const version = onlyValue(head, 'sec-websocket-version');
  if (version === null) return 'bad-upgrade';
  return version === '13' ? { protocol: 'websocket', webSocketKey: key } : 'upgrade-version';
}

/** The value of a field that the head has exactly once; null otherwise. */
export function onlyValue(head: MessageHead, lowerCaseName: string): string | null {
  let found: string | null = null;
  for (let index = 0; index < head.fieldCount; index++) {
    // the place of the colon is compared first, so that a string is made only of names with the right length
    const start = head.fields[index * fieldStride + 1] as number;
    if (head.text.charCodeAt(start + lowerCaseName.length) !== 0x3a) continue;
    if (head.nameOf(index).toLowerCase() !== lowerCaseName) continue;
    if (found !== null) return null;
    found = head.valueOf(index);
  }
  return found;
}

/** All protocols that the `Upgrade` fields name, in order and in lower case. */
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
