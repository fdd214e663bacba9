// What a page of the portal is: a path behind the reserved prefix, the shapes of its input, and a handler that returns its answer.
// `definePage` makes a page for GET, which changes nothing; `defineForm` makes a form's target for POST, whose handler runs only when the
// origin and the form token are right. Handlers never see a request or a reply of Fastify; they use `Visit`.

import type { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import type { Html } from '../look/html.ts';
import type { ErrorPageWords, PageContent } from '../look/page-content.ts';
import type { FlowJar } from './flow-cookie.ts';
import type { RequestOrigin } from './request-origin.ts';
import type { ShareRequests } from './share-cookie.ts';
import type { Person } from './who-asks.ts';

/** Where a page is served: on the portal's host, or on every host that latchkey serves. */
type PagePlace = 'portal' | 'everywhere';

/** Who may open a page: `account` is anybody who is signed in, `admin` an administrator. */
type PageWho = 'anyone' | 'account' | 'admin';

/** What a page's handler returns; the functions of `Visit` make most of them. */
export type PageAnswer =
  | { readonly kind: 'page'; readonly status: number; readonly page: PageContent }
  /**
   * `to` is a path of this host, or a whole URL that was made from the configuration. Sent as 303, but when a browser's form leads out of
   * latchkey's own pages, as a small page that goes on by itself (see onward.ts).
   */
  | { readonly kind: 'redirect'; readonly to: string }
  /** A file of media type `type`. With a `filename` browsers save it; with null they show it. */
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
  /** The account that is signed in on this host; null for nobody. */
  readonly actor: Person | null;
  /** The sign-ins that this browser is in the middle of. */
  readonly jar: FlowJar;
  /** The requests for keys that this browser has. */
  readonly shareRequests: ShareRequests;
  /** The reserved prefix: `/.latchkey/` or what the configuration says; addresses of pages begin with it. */
  readonly prefix: string;
  /** Path and query of the request, as they were sent. */
  readonly target: string;
  readonly method: string;
  /** Raw value of a request header such as `Sec-Fetch-Site`; undefined when absent. */
  readonly header: (name: string) => string | undefined;
  /** The hidden field with the form token, which every form needs. */
  readonly formToken: () => Html;
  /** A page; 200 unless its content has another status. */
  readonly page: (page: PageContent) => PageAnswer;
  readonly redirect: (to: string) => PageAnswer;
  /** The error page of a status such as 403, 404, 410 or 429. `words` replaces its usual title and text. */
  readonly errorPage: (status: number, words?: ErrorPageWords) => PageAnswer;
  /** Sets this host's session cookie. */
  readonly startSession: (token: string, maxAgeSeconds: number) => void;
  /** Sets a pass cookie for a place on this host. */
  readonly givePass: (pass: { readonly token: string; readonly path: string; readonly maxAgeSeconds: number }) => void;
  /** Clears this host's session cookie and the flow cookie. */
  readonly endSession: () => void;
  /** Time zone for what the page says and reads where its script does not run: that of the account, else UTC. */
  readonly timeZone: string;
  /** Value of the device cookie, NOT verified. */
  readonly deviceCookie: string | null;
  /** Sets this host's device cookie. */
  readonly rememberDevice: (value: string) => void;
}

/** A visit of an account that is signed in. */
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
  /** Shapes of the query and of the path's parameters, as objects of texts. A request that does not fit gets 404. */
  readonly query?: z.ZodType<Q>;
  readonly params?: z.ZodType<P>;
}

interface PageDefinition<W extends PageWho, Q, P> extends RouteDefinition<W, Q, P> {
  readonly handle: (visit: VisitOf<W>, input: PageInput<Q, P>) => Promise<PageAnswer>;
}

interface FormDefinition<W extends PageWho, F, Q, P> extends RouteDefinition<W, Q, P> {
  /**
   * Shape of the form's fields, an object of texts. Keep it lenient and let the handler answer with the form again: a form that does not
   * fit the shape gets a plain 400.
   */
  readonly form: z.ZodType<F>;
  readonly handle: (visit: VisitOf<W>, input: PageInput<Q, P> & { readonly form: F }) => Promise<PageAnswer>;
}

/** A page or a form without its type parameters, so that all fit into one list. */
export interface PageRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly who: PageWho;
  readonly place: PagePlace;
  /** Checks the input, then runs the handler. The caller has checked `visit.actor` against `who`. */
  readonly run: (visit: Visit, raw: { body: unknown; query: unknown; params: unknown }) => Promise<PageAnswer>;
}

/** Makes a page for GET; `pages.ts` must list it to have it served. */
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

/** Makes a form's target for POST; `pages.ts` must list it to have it served. */
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
  // a value is undefined only where the definition has no shape for it, and there its type is undefined
  return { query: readQuery?.data as Q, params: readParams?.data as P };
}

function visitOf<W extends PageWho>(visit: Visit): VisitOf<W> {
  // serve-pages.ts checked `who`, which the types cannot follow
  return visit as VisitOf<W>;
}
