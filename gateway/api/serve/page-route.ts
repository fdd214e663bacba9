// What a page of the portal is: a path behind the reserved prefix, the shapes of what is sent, and a handler that gives a value.
// `definePage` answers GET and changes nothing; `defineForm` answers POST, and runs only when the form was ours: right origin, right
// token. Handlers never see a request or a reply; what they may use is `Visit`.

import type { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import type { Html } from '../look/html.ts';
import type { ErrorPageWords, PageContent } from '../look/page-content.ts';
import type { FlowJar } from './flow-cookie.ts';
import type { RequestOrigin } from './request-origin.ts';
import type { Person } from './who-asks.ts';

/** Where a page is served: on the portal's host, or on every host that latchkey serves. */
type PagePlace = 'portal' | 'everywhere';

type PageWho = 'anyone' | 'account' | 'admin';

/** What a page's handler gives back. `Visit` makes them. */
export type PageAnswer =
  | { readonly kind: 'page'; readonly status: number; readonly page: PageContent }
  /**
   * `to` is a path of this host, or a whole URL that was made from the configuration. 303; of a form that leads out of latchkey's
   * own pages a small page that goes on by itself, see onward.ts.
   */
  | { readonly kind: 'redirect'; readonly to: string }
  /** A file: `filename` makes browsers save it. */
  | {
      readonly kind: 'file';
      readonly type: string;
      readonly bytes: Uint8Array;
      readonly filename: string | null;
    };

/** One request for a page. */
export interface Visit {
  readonly context: ControlContext;
  readonly origin: RequestOrigin;
  /** Who is signed in on this host; null for nobody. */
  readonly actor: Person | null;
  readonly jar: FlowJar;
  /** `/.latchkey/` or what the configuration says; addresses of pages begin with it. */
  readonly prefix: string;
  /** Path and query as they were asked for. */
  readonly target: string;
  readonly method: string;
  /** Raw field, for `Sec-Fetch-Site`, `Sec-Purpose` and the like. */
  readonly header: (name: string) => string | undefined;
  /** Hidden field that every form needs. */
  readonly formToken: () => Html;
  readonly page: (page: PageContent) => PageAnswer;
  readonly redirect: (to: string) => PageAnswer;
  /** The page that says why not: 403, 404, 410, 429 and so on. `words` replaces the usual sentence. */
  readonly errorPage: (status: number, words?: ErrorPageWords) => PageAnswer;
  /** Sets this host's session cookie. */
  readonly startSession: (token: string, maxAgeSeconds: number) => void;
  /** Sets a pass cookie for a place on this host. */
  readonly givePass: (pass: { readonly token: string; readonly path: string; readonly maxAgeSeconds: number }) => void;
  /** Clears this host's session cookie and the flow cookie. */
  readonly endSession: () => void;
  /** Value of the device cookie, NOT verified. */
  readonly deviceCookie: string | null;
  readonly rememberDevice: (value: string) => void;
}

/** A visit by somebody who signed in. */
export type PersonVisit = Visit & { readonly actor: Person };

type VisitOf<W extends PageWho> = W extends 'anyone' ? Visit : PersonVisit;

interface PageInput<Q, P> {
  readonly query: Q;
  readonly params: P;
}

interface RouteDefinition<W extends PageWho, Q, P> {
  /** Behind the reserved prefix, with parameters as `:name`: `links/:link`. */
  readonly path: string;
  readonly who: W;
  /** Default `portal`. */
  readonly place?: PagePlace;
  /** Objects of texts. A request that does not fit them is 400 (`params`: 404). */
  readonly query?: z.ZodType<Q>;
  readonly params?: z.ZodType<P>;
}

interface PageDefinition<W extends PageWho, Q, P> extends RouteDefinition<W, Q, P> {
  readonly handle: (visit: VisitOf<W>, input: PageInput<Q, P>) => Promise<PageAnswer>;
}

interface FormDefinition<W extends PageWho, F, Q, P> extends RouteDefinition<W, Q, P> {
  /** An object of texts. Be lenient and answer with the form again: what does not fit here is a plain 400. */
  readonly form: z.ZodType<F>;
  readonly handle: (visit: VisitOf<W>, input: PageInput<Q, P> & { readonly form: F }) => Promise<PageAnswer>;
}

/** A page or a form with its types taken away, for lists. */
export interface PageRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly who: PageWho;
  readonly place: PagePlace;
  /** `visit.actor` was checked against `who` before. */
  readonly run: (visit: Visit, raw: { body: unknown; query: unknown; params: unknown }) => Promise<PageAnswer>;
}

/** Makes a page; list it in `pages.ts` to have it served. */
export function definePage<W extends PageWho, Q = undefined, P = undefined>(
  definition: PageDefinition<W, Q, P>,
): PageRoute {
  const { path, who, place, query, params } = definition;
  return {
    method: 'GET',
    path,
    who,
    place: place ?? 'portal',
    run: async (visit, raw) => {
      const read = readInput(query, params, raw);
      return read === null ? visit.errorPage(404) : definition.handle(visitOf(visit), read);
    },
  };
}

/** Makes a form's target; list it in `pages.ts` to have it served. */
export function defineForm<W extends PageWho, F, Q = undefined, P = undefined>(
  definition: FormDefinition<W, F, Q, P>,
): PageRoute {
  const { path, who, place, query, params, form } = definition;
  return {
    method: 'POST',
    path,
    who,
    place: place ?? 'portal',
    run: async (visit, raw) => {
      const read = readInput(query, params, raw);
      if (read === null) return visit.errorPage(404);
      const fields = form.safeParse(raw.body ?? {});
      if (!fields.success) return visit.errorPage(400);
      return definition.handle(visitOf(visit), { ...read, form: fields.data });
    },
  };
}

function readInput<Q, P>(
  query: z.ZodType<Q> | undefined,
  params: z.ZodType<P> | undefined,
  raw: { query: unknown; params: unknown },
): PageInput<Q, P> | null {
  const readQuery = query?.safeParse(raw.query ?? {});
  const readParams = params?.safeParse(raw.params ?? {});
  if (readQuery?.success === false || readParams?.success === false) return null;
  // undefined stands only where no shape was given, where the type is undefined
  return { query: readQuery?.data as Q, params: readParams?.data as P };
}

function visitOf<W extends PageWho>(visit: Visit): VisitOf<W> {
  // serve-pages.ts checked `who`, which the types cannot follow
  return visit as VisitOf<W>;
}
