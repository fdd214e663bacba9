// Faults around a WebSocket: handshakes that come late, broken or never, and tunnels that end, hang or run over.
// Before the 101: 502 or 504. Behind it nobody looks at the bytes: the end of one side is the end of the other.
// Rules: RFC 9110 §7.8, RFC 6455 §4.2.2.

import { sampleKey, switching } from '../support/clients/websocket.ts';
import type { Fault, Outcome } from './fault.ts';

const sound = switching(sampleKey);
const interim = 'HTTP/1.1 100 Continue\r\n\r\n';

function handshakeFault(name: string, outcome: Outcome, rest: Partial<Fault>): Fault {
  return { name: `handshake: ${name}`, at: 'request', methods: ['WEBSOCKET'], outcome, ...rest };
}

export const tunnelFaults: readonly Fault[] = [
  handshakeFault('half a 101, then a reset', 502, { says: sound.slice(0, 40), ends: 'reset' }),
  handshakeFault('half a 101, then FIN', 502, { says: sound.slice(0, 40), ends: 'fin' }),
  handshakeFault('half a 101, then silence', 504, { says: sound.slice(0, 40) }),
  handshakeFault('the accept of another key', 502, { says: switching('AAAAAAAAAAAAAAAAAAAAAA==') }),
  handshakeFault('another protocol', 502, { says: switching(sampleKey, ['Upgrade: other']) }),
  handshakeFault('a 101 with a length', 502, { says: switching(sampleKey, ['Content-Length: 4']) }),
  handshakeFault('a 101 with a bare LF', 502, { says: sound.replace('\r\n', '\n') }),
  handshakeFault('a storm of 100 before the 101', 502, { says: interim.repeat(9) + sound }),
  handshakeFault('interim answers before the 101', 'tunnel', { says: interim.repeat(3) + sound, ends: 'fin' }),
  handshakeFault('a dripping 101', 'tunnel', {
    play: (stage) => stage.drip(sound, 0, () => stage.socket.end()),
  }),
  handshakeFault('a reset behind the 101', 'tunnel', { says: sound, ends: 'reset' }),
  handshakeFault('FIN behind the 101', 'tunnel', { says: sound, ends: 'fin' }),
  handshakeFault('bytes together with the 101', 'tunnel', {
    says: `${sound}any bytes`,
    content: 'any bytes',
    ends: 'fin',
  }),
  handshakeFault('an answer behind the 101 is no answer', 'tunnel', {
    says: `${sound}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    content: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ends: 'fin',
  }),
  handshakeFault('a frame that is cut in the middle', 'tunnel', {
    says: `${sound}\x82\x7e\x04\x00half`,
    content: '\x82\x7e\x04\x00half',
    ends: 'fin',
  }),
  handshakeFault('silence in the tunnel', 'tunnel', { says: sound }),
  handshakeFault('a tunnel that runs over', 'left', {
    play: (stage) => {
      stage.write(sound);
      stage.flood();
    },
    leavesAfter: 200_000,
  }),
];
