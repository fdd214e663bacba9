// Ids of the nodes of the revocation graph, on which tokens hang. The first letters of an id say the kind of its node.
// Pure: random bytes come from the caller. Ids are public: tokens, URLs and logs hold them, and an id alone opens nothing.

import { Buffer } from 'node:buffer';

/** The kinds of nodes and records, and the letters that their ids begin with. */
const idPrefixes = {
  account: 'ac_',
  session: 'se_',
  device: 'dv_',
  linkKey: 'ak_',
  link: 'li_',
  member: 'me_',
  credential: 'cd_',
  /** A key that hangs off a credential and opens a resource; a signing key is `ky_`. */
  credentialKey: 'dk_',
  share: 'sh_',
  representation: 'rp_',
  message: 'ms_',
  decision: 'de_',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** Random bytes of an id: 128 bits, so that no two ids are ever equal, on any number of machines. */
export const idRandomBytes = 16;

/** @param random  `idRandomBytes` random bytes */
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

/** The node of a signing key. People choose key ids, so the node is the key's id behind a prefix. */
export function signingKeyNode(keyId: string): string {
  return `ky_${keyId}`;
}

/** The node of a user record, which is a line of the users file. A new password makes a new version of the record with the same id. */
export function userRecordNode(userRecordId: string): string {
  return `cr_${userRecordId}`;
}

/**
 * The node of what an account's tokens say of its groups. A change of groups is a revocation of this node: routes that let in by group
 * take no token that was made before it, and no other route looks at it.
 */
export function groupsNode(accountId: string): string {
  return `gr_${accountId}`;
}

/** The subject of all access to a collection; see `Change` of kind `touch`. */
export function collectionSubject(name: string): string {
  return `co_${name}`;
}
