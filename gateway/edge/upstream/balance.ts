// Consistent hashing: which server a key belongs to, and where keys come from. Pure; the group says which servers may be picked.
// Rendezvous hashing (Thaler and Ravishankar, 1998): each server has a score for each key and the best score wins, so that
// adding or removing one of N servers moves one of N keys. The hash has no seed, so all edges and hosts agree.

import type { Balance } from '../../config/compiled/upstream-config.ts';
import { cookieValueOf } from '../../http1/cookie-pairs.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { Described } from '../request/describe.ts';
import { requestClass } from '../request/field-classes.ts';

/** A request that has no key: no such header, or no such cookie. */
export const noKey = -1;

/** A key of 32 bits: FNV-1a with a finaliser, since FNV alone mixes a text's last characters badly. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** @returns the key of a request, or `noKey` */
export function keyOf(balance: Balance, request: Described): number {
  switch (balance.kind) {
    case 'least-connections':
      return noKey;
    case 'path':
      return hashText(request.path);
    case 'header':
      return keyOfText(headerValue(request, balance.name));
    case 'cookie':
      return keyOfText(cookieValue(request, balance.name));
    default:
      return balance satisfies never;
  }
}

/**
 * How much a server wants a key; the lowest score of a group wins.
 *
 * @param seed    `hashText` of the server's authority
 * @param weight  share of the keys in relation to the others
 */
export function score(key: number, seed: number, weight: number): number {
  // (0, 1): the logarithm of zero would win against every weight
  const uniform = (mix(key ^ seed) + 1) / 4_294_967_297;
  return -Math.log(uniform) / weight;
}

function keyOfText(text: string): number {
  return text === '' ? noKey : hashText(text);
}

function headerValue(request: Described, name: string): string {
  const head = request.head;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.nameOf(index).toLowerCase() === name) return head.valueOf(index);
  }
  return '';
}

function cookieValue(request: Described, name: string): string {
  const head = request.head;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== requestClass.cookie) continue;
    const value = cookieValueOf(head.valueOf(index), name);
    if (value !== null) return value;
  }
  return '';
}

/** The finaliser of MurmurHash3. @returns 32 bits, unsigned */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
