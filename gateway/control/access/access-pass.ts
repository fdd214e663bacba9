// Makes a pass for an account that the access list lets in: for the cookie after a claim, and for media players that take no cookies.
// The pass says what the access answer said and nothing wider: scope, methods, end, and every revocation node that the pass hangs on.

import type { Config, RouteConfig } from '../../config/compiled/config.ts';
import type { GrantedAccess } from '../../core/decision/state/access.ts';
import { memberClaims } from '../../core/decision/verdict/account-pass.ts';
import { matchesHost } from '../../core/model/host-pattern.ts';
import { covers } from '../../core/model/path.ts';
import { tokenKinds } from '../../core/token/token-kinds.ts';
import type { AccessQuestion } from '../../wire/questions.ts';
import type { ControlContext } from '../context/control-context.ts';
import { answerAccess } from './answer-access.ts';

export interface AccessPass {
  /** `lp+jwt`. */
  readonly token: string;
  /** Path of the pass's cookie: the path of the collection or of the resource. */
  readonly path: string;
  readonly maxAgeSeconds: number;
}

type AccessPassMade =
  | { readonly kind: 'made'; readonly pass: AccessPass }
  /** The account is let in without a pass: no common key signs, or the route takes no passes. The session is enough. */
  | { readonly kind: 'no-pass' }
  | { readonly kind: 'none' };

/**
 * @param question  a session of the account, and the canonical place to be opened
 * @param form      a cookie is renewed by edges, so it is short; the path form is not
 * @throws StoreAway
 */
export async function makeAccessPass(
  context: ControlContext,
  question: AccessQuestion,
  form: 'cookie' | 'path',
): Promise<AccessPassMade> {
  const answer = await answerAccess(context, question);
  if (answer.kind !== 'granted') return { kind: 'none' };
  const life = form === 'cookie' ? context.config().tokens.passTtlSeconds : tokenKinds.pass.longestSeconds;
  const pass = passFrom(context, answer, question, life);
  return pass === null ? { kind: 'no-pass' } : { kind: 'made', pass };
}

/**
 * A pass that says what an answer says, for at most so many seconds.
 *
 * @param question  the session that it hangs on, and the canonical place that it is asked for
 * @returns null where no pass can say it: no common key signs, no route serves the place, or a pass cannot express its path
 */
export function passFrom(
  context: Pick<ControlContext, 'config' | 'clock' | 'tokens'>,
  answer: GrantedAccess,
  question: Pick<AccessQuestion, 'session' | 'device' | 'host' | 'path'>,
  longestSeconds: number,
): AccessPass | null {
  const config = context.config();
  const route = routeOf(config, question.host, question.path);
  if (route === null) return null;
  const now = context.clock.epochSeconds();
  const terms = { ...config.tokens, passTtlSeconds: longestSeconds };
  const { claims, issuable } = memberClaims(answer, question, route, terms, now, null);
  const { path } = answer.scope;
  // a semicolon would end the attribute of the cookie that the pass is for
  if (!issuable || path.includes(';')) return null;
  const seconds = claims.exp - now;
  const token = context.tokens.mintPass(claims, seconds);
  return token === null ? null : { token, path, maxAgeSeconds: seconds };
}

/** The route that serves a place: the most specific host, then the longest path. */
function routeOf(config: Config, host: string, path: string): RouteConfig | null {
  const worth = (route: RouteConfig) =>
    route.host === host ? 1e6 : route.host === null ? 0 : route.host.length * 1000;
  const found = config.routes.filter(
    (route) => (route.host === null || matchesHost(route.host, host)) && covers(route.path, path),
  );
  return found.sort((one, other) => worth(other) - worth(one) || other.path.length - one.path.length)[0] ?? null;
}
