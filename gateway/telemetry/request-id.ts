// Makes request ids: unique over processes and restarts, cheap enough for every request, and no secret.
// 12 random characters for the process, then a counter in base 36.

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
