// The nodes of the one graph of revocation: what a token can hang on. A node's id says its kind by its first letters.
// Pure: random bytes come from the caller. Ids are public: they stand in tokens, URLs and logs, and open nothing.

import { Buffer } from 'node:buffer';

/** Kind of a node or record, and the letters its ids begin with. */
const idPrefixes = {
  account: 'ac_',
  session: 'se_',
  device: 'dv_',
  linkKey: 'ak_',
  link: 'li_',
  member: 'me_',
  message: 'ms_',
  decision: 'de_',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** Random bytes of an id: 128 bits, so that no two nodes on any number of machines are ever the same. */
export const idRandomBytes = 16;

/** @param random  `idRandomBytes` of them */
export function makeId(kind: IdKind, random: Uint8Array): string {
  return `${idPrefixes[kind]}${Buffer.from(random).toString('base64url')}`;
}

/** Whether a text from outside has the form of an id of this kind. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(idPrefixes[kind]) && /^[\w-]{22}$/.test(text.slice(3));
}

/** Whether an id names a node of this kind by its first letters; NOT whether it has the form of one. */
export function isOfKind(kind: IdKind, id: string): boolean {
  return id.startsWith(idPrefixes[kind]);
}

/** Node of a key of the ring: keys are named by people, so the id is theirs behind a prefix. */
export function signingKeyNode(keyId: string): string {
  return `ky_${keyId}`;
}

/** Node of a user record, a line of the users file; a new password is a new version of it under the same id. */
export function userRecordNode(userRecordId: string): string {
  return `cr_${userRecordId}`;
}

/** Subject of everything that is granted on a collection; see `Change` of kind `touch`. */
export function collectionSubject(name: string): string {
  return `co_${name}`;
}
