// Makes request ids: unique over processes and restarts, cheap enough for every request, and no secret.
// 12 random characters for the process, then a counter in base 36. A request that already came through a gateway is sent on with a
// count behind the id, `.2` for the second passage: by it a request that goes in circles is found.

import { randomBytes } from 'node:crypto';

/** Source of request ids; one per process. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  constructor(prefix: string = randomBytes(9).toString('base64url')) {
    this.#prefix = `${prefix}-`;
  }

  /** A new id of letters, digits, `-` and `_`, at most 24 characters in practice. */
  nextRequestId(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36);
  }
}

/** How often a request may come through gateways; with more passages it goes in circles. */
export const maxPassages = 16;

const ownForm = /^([A-Za-z0-9_-]{12}-[0-9a-z]{1,10})(?:\.([1-9]\d?))?$/;

/**
 * How often a request came through a gateway before, by the `X-Request-Id` it brings. Clients can send any value: it concerns only
 * their own request and gives no access.
 *
 * @returns 0 for an id that no latchkey made
 */
export function passagesOf(requestId: string): number {
  const match = ownForm.exec(requestId);
  return match === null ? 0 : Number(match[2] ?? '0') + 1;
}

/** The id for the next hop, with its count replaced. @param passages  how often the request came through a gateway before */
export function withPassages(requestId: string, passages: number): string {
  return passages === 0 ? requestId : `${ownForm.exec(requestId)?.[1] ?? requestId}.${passages}`;
}
