// What an endpoint of `v1` is: method, path, shapes, and a handler that returns its answer as a value. `defineEndpoint` is the only way to
// make an endpoint, so every endpoint checks its input before its handler runs, is described for OpenAPI and is served to the operator too.
// Handlers never see a request or a reply of Fastify.

import type { z } from 'zod';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import type { NewSession } from '../../control/sessions/start-session.ts';
import type { RefusalReason } from './refusal-reasons.ts';

/** Who may call an endpoint: `account` is anybody who is signed in, `admin` an administrator. The operator may call every endpoint. */
type Who = 'anyone' | 'account' | 'admin';

type EndpointMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** An expected refusal, as problem+json. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  /** For programs: a word that does not change, like `bad-input`. */
  readonly reason: RefusalReason;
  /** For people: one sentence. */
  readonly detail: string;
  readonly retryAfterSeconds: number | null;
}

/** A change of the session and device cookies of the browser that asked. The operator has no cookies. */
export type BrowserChange =
  | { readonly kind: 'signed-in'; readonly session: NewSession }
  | { readonly kind: 'signed-out' };

/** What an endpoint's handler returns: a body with its status, no body (204), or a refusal. */
export type EndpointAnswer<R> =
  | { readonly kind: 'answer'; readonly status: number; readonly body: R; readonly browser?: BrowserChange }
  | { readonly kind: 'empty'; readonly browser?: BrowserChange }
  | Refusal;

/** What is known of a request beside its actor and its input. */
export interface EndpointRequest {
  /** Empty for the operator. */
  readonly clientAddress: string;
  readonly userAgent: string;
  readonly requestId: string;
  /** Value of the device cookie, NOT verified; null without one. */
  readonly deviceCookie: string | null;
}

interface EndpointCall<W extends Who, B, Q, P> {
  readonly context: ControlContext;
  readonly actor: W extends 'anyone' ? Actor | null : Actor;
  readonly body: B;
  readonly query: Q;
  readonly params: P;
  readonly request: EndpointRequest;
}

interface EndpointDefinition<W extends Who, R, B, Q, P> {
  readonly method: EndpointMethod;
  /** Behind `v1/`, with parameters as `:name`: `links/:link/members`. */
  readonly path: string;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly who: W;
  /** Shape of the JSON body; absent for a request without a body. */
  readonly body?: z.ZodType<B>;
  /** Most bytes of the body; default: what the server takes. */
  readonly maxBodyBytes?: number;
  /** Shape of the query, an object of texts; use `z.coerce` for numbers. */
  readonly query?: z.ZodType<Q>;
  /** Shape of the path's parameters, an object with one text for each. */
  readonly params?: z.ZodType<P>;
  /** Shape of the answer's body, null for none. Members that the shape does not name never leave the gateway. */
  readonly response: z.ZodType<R> | null;
  readonly handle: (call: EndpointCall<W, B, Q, P>) => Promise<EndpointAnswer<R>>;
}

/** The input of a request, NOT checked. */
interface RawInput {
  readonly body: unknown;
  readonly query: unknown;
  readonly params: unknown;
}

/** An endpoint without its type parameters, so that all fit into one list. */
export interface Endpoint {
  readonly method: EndpointMethod;
  readonly path: string;
  readonly summary: string;
  readonly who: Who;
  /** Null: what the server takes. */
  readonly maxBodyBytes: number | null;
  readonly shapes: {
    readonly body: z.ZodType | null;
    readonly query: z.ZodType | null;
    readonly params: z.ZodType | null;
    readonly response: z.ZodType | null;
  };
  /** Checks that the actor may ask (null: nobody is signed in), then the input, then runs the handler. */
  readonly run: (
    context: ControlContext,
    actor: Actor | null,
    raw: RawInput,
    request: EndpointRequest,
  ) => Promise<EndpointAnswer<unknown>>;
}

/** Makes an endpoint; `v1/endpoints.ts` must list it to have it served. An actor that may not ask gets 401 or 403, bad input 400. */
export function defineEndpoint<W extends Who, R = null, B = undefined, Q = undefined, P = undefined>(
  definition: EndpointDefinition<W, R, B, Q, P>,
): Endpoint {
  const { method, path, summary, who, body, query, params, response } = definition;
  return {
    method,
    path,
    summary,
    who,
    maxBodyBytes: definition.maxBodyBytes ?? null,
    shapes: { body: body ?? null, query: query ?? null, params: params ?? null, response },
    run: async (context, actor, raw, request) => {
      if (actor === null && who !== 'anyone') return refuse(401, 'not-signed-in', 'Sign in first.');
      if (who === 'admin' && !isAdmin(actor)) return refuse(403, 'not-admin', 'Only administrators may do this.');
      const read = {
        params: check('the address', params, raw.params),
        query: check('the query', query, raw.query),
        body: check('the body', body, raw.body),
      };
      for (const part of [read.params, read.query, read.body]) if (part.kind === 'refused') return part;
      const answer = await definition.handle({
        context,
        // `who` was checked above, which the types cannot follow
        actor: actor as EndpointCall<W, B, Q, P>['actor'],
        body: readValue(read.body),
        query: readValue(read.query),
        params: readValue(read.params),
        request,
      });
      if (answer.kind !== 'answer' || response === null) return answer;
      // throws when the handler left out a member: that is a bug here, and a 500
      return { ...answer, body: response.parse(answer.body) };
    },
  };
}

/** The answer of a handler that succeeded. */
export function answer<R>(body: R, status = 200): EndpointAnswer<R> {
  return { kind: 'answer', status, body };
}

/** The answer of a handler that succeeded and has nothing to say: 204. */
export const empty: EndpointAnswer<never> = { kind: 'empty' };

/** The answer of a handler that refuses. */
export function refuse(
  status: number,
  reason: RefusalReason,
  detail: string,
  retryAfterSeconds: number | null = null,
): Refusal {
  return { kind: 'refused', status, reason, detail, retryAfterSeconds };
}

/** Whether an actor may administer: the operator, latchkey itself (`system`), or an account with the role `admin`. */
export function isAdmin(actor: Actor | null): boolean {
  return actor !== null && (actor.kind !== 'account' || actor.role === 'admin');
}

/** A caller mends a body in one go where all of its problems are told, and no caller can have an answer of any length. */
const maxProblemsTold = 5;

type Checked<T> = { readonly kind: 'value'; readonly value: T } | Refusal;

function check<T>(where: string, shape: z.ZodType<T> | undefined, raw: unknown): Checked<T | undefined> {
  if (shape === undefined) return { kind: 'value', value: undefined };
  const read = shape.safeParse(raw ?? {});
  if (read.success) return { kind: 'value', value: read.data };
  const problems = read.error.issues.slice(0, maxProblemsTold).map((issue) => {
    const at = issue.path.length === 0 ? where : `${where}, ${issue.path.join('.')}`;
    return `${at}: ${issue.message}`.slice(0, 300);
  });
  const more = read.error.issues.length - problems.length;
  return refuse(400, 'bad-input', `${problems.join('; ')}${more > 0 ? `; and ${more} more` : ''}`);
}

function readValue<T>(checked: Checked<T | undefined>): T {
  // a refusal was returned before; the value is undefined only where the definition has no shape for it, and there T is undefined
  return (checked.kind === 'value' ? checked.value : undefined) as T;
}
