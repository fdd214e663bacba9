// The flow cookie: what a host remembers of a browser while somebody signs in. It is sealed for that host and lasts 10 minutes. It holds up
// to four flows, so that two tabs do not overwrite each other's way back, and the link token that was taken out of the URL, so the token
// appears in no log. Forms before sign-in are bound to its `browser`, which changes with each sign-in.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';
import { openText, sealText } from './sealed-text.ts';

/** How long a flow lasts; every save of the cookie begins the time again. */
export const flowSeconds = 10 * 60;

const flowShape = z.object({
  /** Names the flow in addresses; no secret. */
  id: z.string().max(40),
  /** A secret that only this browser has; a hand-over is bound to its digest. */
  nonce: z.string().max(60),
  /** Path where the visitor goes at the end; checked by return-address.ts. */
  returnPath: z.string().max(2000),
  /** The link that the visitor presented: id of the link key, and authorization token. null without a link. */
  link: z
    .object({
      key: z.string().max(200),
      token: z.string().max(200),
    })
    .nullable(),
  /** One-time code of a mail, while its page is open; null without a code. */
  code: z.string().max(200).nullable(),
  /** The address that a code of six digits was mailed to; `code` is what the digits count with then. null without such a code. */
  mailedTo: z.string().max(320).nullable().default(null),
});

/** One sign-in or one opening of a link that a visitor has begun and not finished. */
export type Flow = z.infer<typeof flowShape>;

const jarShape = z.object({
  browser: z.string().max(60),
  flows: z.array(flowShape).max(4),
  /** Sealed hand-over request that the sign-in page was opened with, for a visitor who makes an account first; null without one. */
  pending: z.string().max(3400).nullable(),
});

// browsers drop a cookie whose name, value and attributes exceed 4096 bytes together
const maxCookieLength = 3600;

/** The flows of the browser that asks, and the cookie that holds them. */
export class FlowJar {
  readonly #context: ControlContext;
  readonly #origin: RequestOrigin;
  readonly #reply: FastifyReply;
  #browser: string | null;
  #flows: readonly Flow[];
  #pending: string | null;
  #seconds = flowSeconds;

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

  /** The binding of forms before sign-in; null when the browser sent no valid flow cookie. */
  get boundTo(): string | null {
    return this.#browser === null ? null : `browser:${this.#browser}`;
  }

  /** As `boundTo`, but makes the cookie when there was none, and sets it for ten more minutes. */
  bind(): string {
    this.#save();
    return this.boundTo ?? '';
  }

  /** Has the next save of the cookie last longer, for a form that may be sent later than flows last. */
  lastFor(seconds: number): void {
    this.#seconds = Math.max(flowSeconds, seconds);
  }

  /** The sealed hand-over request that this browser's newest sign-in page was opened with, NOT checked; null when it had none. */
  get pending(): string | null {
    return this.#pending;
  }

  /** Takes effect with the next `bind`, which every form before sign-in makes. */
  set pending(handover: string | null) {
    this.#pending = handover;
  }

  /** Begins a flow; the oldest is dropped when there are four. @returns the flow, with its new id and nonce */
  begin(start: Partial<Pick<Flow, 'returnPath' | 'link' | 'code' | 'mailedTo'>>): Flow {
    const flow: Flow = {
      id: this.#context.random(9).toString('base64url'),
      nonce: this.#context.random(32).toString('base64url'),
      returnPath: start.returnPath ?? '/',
      link: start.link ?? null,
      code: start.code ?? null,
      mailedTo: start.mailedTo ?? null,
    };
    this.#flows = [...this.#flows.slice(-3), flow];
    this.#save();
    return flow;
  }

  /** @returns the flow of that id; null when this browser has none such (any more) */
  find(id: string | undefined): Flow | null {
    return this.#flows.find((flow) => flow.id === id) ?? null;
  }

  /** The flows of codes of six digits that were mailed to the same address as a flow's code, the newest first: any tab takes the newest code. */
  findMailed(id: string | undefined): readonly (Flow & { readonly code: string; readonly mailedTo: string })[] {
    const named = this.find(id)?.mailedTo ?? null;
    return this.#flows
      .flatMap((flow) => {
        const { code, mailedTo } = flow;
        return code === null || mailedTo === null || mailedTo !== named ? [] : [{ ...flow, code, mailedTo }];
      })
      .reverse();
  }

  /** Ends a flow that was completed, or cannot be completed. */
  end(id: string): void {
    this.#flows = this.#flows.filter((flow) => flow.id !== id);
    this.#save();
  }

  /** At sign-in: flows stay, the pending request goes, and forms that were open before become invalid, because `browser` changes. */
  renew(): void {
    this.#browser = null;
    this.#pending = null;
    this.#save();
  }

  /** At sign-out: drops all flows and clears the cookie; forms that were open before become invalid. */
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
      return sealText(this.#context, use, jar, this.#seconds);
    };
    let sealed = seal();
    while (sealed.length > maxCookieLength && this.#flows.length > 0) {
      this.#flows = this.#flows.slice(1);
      sealed = seal();
    }
    if (sealed.length > maxCookieLength) {
      this.#pending = null;
      sealed = seal();
    }
    setCookie(this.#reply, this.#origin, 'flow', sealed, this.#seconds);
  }
}
