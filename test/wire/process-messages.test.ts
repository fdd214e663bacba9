// Messages over IPC: each is read as it was sent, bytes of keys included, and one of another form is none.

import { expect, test } from 'vitest';
import { readMessageFromChild, readMessageToChild } from '../../gateway/wire/process-messages.ts';
import { testState } from '../support/rigs/control.ts';

test('the first message to control carries the whole state', () => {
  const message = {
    type: 'start-control',
    file: '/latchkey.yaml',
    state: testState(),
    filesKnown: null,
    sockets: { edge: 'e', public: 'p', admin: 'a' },
    runningEdges: ['e1'],
    operationsPort: null,
  };
  expect(readMessageToChild(message)).toEqual(message);
  expect(readMessageToChild({ ...message, state: { ...message.state, keys: [{ id: 'k1' }] } })).toBeNull();
});

test.each([
  { type: 'start-edge', edgeId: 'e1', edgeSocket: 's', listenFds: [4], level: 'info' },
  { type: 'reload' },
  { type: 'reopen-logs' },
  { type: 'edge-gone', edge: 'e1' },
  { type: 'drain', deadlineMs: 0 },
])('$type reaches a child as it was sent', (message) => {
  expect(readMessageToChild(message)).toEqual(message);
});

test.each([
  { type: 'control-ready', operations: { host: 'h', port: 1 } },
  { type: 'edge-ready', listening: [{ host: 'h', port: 1 }] },
  { type: 'cannot-listen', at: 'listeners[0].address', code: 'EACCES' },
  { type: 'cannot-start', problem: 'p', hint: 'h' },
  { type: 'end-edge', edge: 'e1' },
  { type: 'files-known', known: null },
  { type: 'state', state: testState() },
])('$type reaches the supervisor as it was sent', (message) => {
  expect(readMessageFromChild(message)).toEqual(message);
});

test('a message of no known form is none', () => {
  for (const message of [null, 'reload', { type: 'news' }, { type: 'edge-ready' }]) {
    expect(readMessageToChild(message)).toBeNull();
    expect(readMessageFromChild(message)).toBeNull();
  }
});
