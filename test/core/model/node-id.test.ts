// The letters that ids and nodes begin with. They stand in tokens, logs and data folders that exist, so they never change.

import { expect, test } from 'vitest';
import {
  collectionSubject,
  type IdKind,
  idRandomBytes,
  makeId,
  signingKeyNode,
  userRecordNode,
} from '../../../gateway/core/model/node-id.ts';

test.each<[IdKind, string]>([
  ['account', 'ac_'],
  ['session', 'se_'],
  ['device', 'dv_'],
  ['linkKey', 'ak_'],
  ['link', 'li_'],
  ['member', 'me_'],
  ['message', 'ms_'],
  ['decision', 'de_'],
])('the id of a kind %s begins with %s', (kind, letters) => {
  expect(makeId(kind, new Uint8Array(idRandomBytes))).toBe(`${letters}${'A'.repeat(22)}`);
});

test('the nodes of a signing key, a user record and a collection begin with ky_, cr_ and co_', () => {
  expect([signingKeyNode('k1'), userRecordNode('5t9'), collectionSubject('vod')]).toEqual([
    'ky_k1',
    'cr_5t9',
    'co_vod',
  ]);
});
