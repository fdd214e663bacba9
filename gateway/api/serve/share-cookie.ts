// The requests for keys that a browser has: the secrets of up to four, so that two tabs with two keys do not overwrite each other. The cookie
// exists on the portal's host alone. It opens nothing by itself: who asked still has to authenticate (control/sharing/accept-share.ts).

import type { FastifyReply, FastifyRequest } from 'fastify';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';

const mostKept = 4;
/** `<selector>.<secret>`, as control makes it. */
const form = /^[\w-]{16}\.[\w-]{43}$/;

export class ShareRequests {
  readonly #origin: RequestOrigin;
  readonly #reply: FastifyReply;
  #all: readonly string[];

  constructor(request: FastifyRequest, reply: FastifyReply, origin: RequestOrigin) {
    this.#origin = origin;
    this.#reply = reply;
    const parts = (readCookie(request, origin, 'share') ?? '').split('~');
    this.#all = parts.filter((part) => form.test(part)).slice(0, mostKept);
  }

  /** The newest first, NOT checked. */
  get all(): readonly string[] {
    return this.#all;
  }

  /** @param instead   a request that the new one replaces */
  keep(request: string, maxAgeSeconds: number, instead: string | null = null): void {
    this.#all = [request, ...this.#all.filter((each) => each !== request && each !== instead)].slice(0, mostKept);
    setCookie(this.#reply, this.#origin, 'share', this.#all.join('~'), maxAgeSeconds);
  }

  /** Forgets a request that was used. The others stay for as long as the browser keeps the cookie at most. */
  drop(request: string, maxAgeSeconds: number): void {
    this.#all = this.#all.filter((each) => each !== request);
    if (this.#all.length === 0) clearCookie(this.#reply, this.#origin, 'share');
    else setCookie(this.#reply, this.#origin, 'share', this.#all.join('~'), maxAgeSeconds);
  }
}
