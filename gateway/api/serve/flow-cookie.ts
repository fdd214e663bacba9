// The flow cookie: what is remembered of a browser while somebody signs in. Sealed for one host, 10 minutes, several at once, so
// that two tabs do not take each other's way back. Holds the link token that left the URL, which therefore is in no log.
// `browser` is what forms before sign-in are bound to; it changes with each sign-in, because the cookie is cleared then.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';
import { openText, sealText } from './sealed-text.ts';

export const flowSeconds = 10 * 60;

const flowShape = z.object({
  /** Names the flow in addresses; opens nothing. */
  id: z.string().max(40),
  /** Only this browser has it; a hand-over is bound to its digest. */
  nonce: z.string().max(60),
  /** Where to go at the end; sound, see return-address.ts. */
  returnPath: z.string().max(2000),
  /** The link that was presented: link key id and authorization token. null without one. */
  link: z
    .object({
      key: z.string().max(200),
      token: z.string().max(200),
    })
    .nullable(),
  /** Code of a mail, while its page is open; null without one. */
  code: z.string().max(200).nullable(),
});

/** One thing that somebody is in the middle of. */
export type Flow = z.infer<typeof flowShape>;

const jarShape = z.object({
  browser: z.string().max(60),
  flows: z.array(flowShape).max(4),
  /** Sealed hand-over request that a sign-in was begun with, for who makes an account first. */
  pending: z.string().max(2000).nullable(),
});

// browsers drop cookies over 4096 bytes with their name and attributes
const maxCookieLength = 3600;

/** The flows of the browser that asks, and the cookie that holds them. */
export class FlowJar {
  readonly #context: ControlContext;
  readonly #origin: RequestOrigin;
  readonly #reply: FastifyReply;
  #browser: string | null;
  #flows: readonly Flow[];
  #pending: string | null;

  constructor(context: ControlContext, request: FastifyRequest, reply: FastifyReply, origin: RequestOrigin) {
    this.#context = context;
    this.#origin = origin;
    this.#reply = reply;
    const use = { use: 'flow', binding: origin.host } as const;
    const read = openText(context, use, readCookie(request, origin, 'flow'), jarShape);
    this.#browser = read?.browser ?? null;
    this.#flows = read?.flows ?? [];
    this.#pending = read?.pending ?? null;
  }

  /** What a form before sign-in was bound to; null when the browser brought no flow cookie. */
  get boundTo(): string | null {
    return this.#browser === null ? null : `browser:${this.#browser}`;
  }

  /** As `boundTo`; makes and sets the cookie when there was none, and gives it ten more minutes. */
  bind(): string {
    this.#save();
    return this.boundTo ?? '';
  }

  /** What the newest sign-in page of this browser was opened for. NOT checked; null when it was for nothing. */
  get pending(): string | null {
    return this.#pending;
  }

  /** Takes effect with the next `bind`, which every form makes. */
  set pending(handover: string | null) {
    this.#pending = handover;
  }

  /** Begins a flow; the oldest goes when there are four. @returns it, with its id and nonce */
  begin(start: Partial<Pick<Flow, 'returnPath' | 'link' | 'code'>>): Flow {
    const flow: Flow = {
      id: this.#context.random(9).toString('base64url'),
      nonce: this.#context.random(32).toString('base64url'),
      returnPath: start.returnPath ?? '/',
      link: start.link ?? null,
      code: start.code ?? null,
    };
    this.#flows = [...this.#flows.slice(-3), flow];
    this.#save();
    return flow;
  }

  find(id: string | undefined): Flow | null {
    return this.#flows.find((flow) => flow.id === id) ?? null;
  }

  /** Ends a flow: it was completed, or cannot be. */
  end(id: string): void {
    this.#flows = this.#flows.filter((flow) => flow.id !== id);
    this.#save();
  }

  /** At sign-in: where people were going stays, but forms that were open before are bound to nobody any more. */
  renew(): void {
    this.#browser = null;
    this.#pending = null;
    this.#save();
  }

  /** At sign-out: what was open before belongs to nobody any more. */
  clear(): void {
    this.#browser = null;
    this.#flows = [];
    clearCookie(this.#reply, this.#origin, 'flow');
  }

  #save(): void {
    this.#browser ??= this.#context.random(16).toString('base64url');
    const use = { use: 'flow', binding: this.#origin.host } as const;
    const seal = (): string => {
      const jar = { browser: this.#browser, flows: this.#flows, pending: this.#pending };
      return sealText(this.#context, use, jar, flowSeconds);
    };
    let sealed = seal();
    while (sealed.length > maxCookieLength && this.#flows.length > 0) {
      this.#flows = this.#flows.slice(1);
      sealed = seal();
    }
    setCookie(this.#reply, this.#origin, 'flow', sealed, flowSeconds);
  }
}
