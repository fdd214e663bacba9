// The heads that a client gets of an upstream's answer: interim, final, and the 101 that begins a tunnel. What stands in a head is
// response-writer.ts's affair; here is who asks for what. Nothing of our own goes into an interim head, and no pass into a 101.

import type { TokenClaims } from '../../core/token/claims.ts';
import type { ResponseHead } from '../../http1/response-head.ts';
import type { AnsweredRequest } from './answered-request.ts';
import { isOverTls, issueLines, type PassIssuer } from './issue-pass.ts';
import { isKeptPrivate, routeLines } from './response-policy.ts';
import { type OutgoingFraming, writeResponseHead } from './response-writer.ts';

/** A request whose answer begins. */
interface BegunAnswer extends AnsweredRequest {
  readonly outgoing: OutgoingFraming;
  /** What the client is told of its connection. */
  readonly connection: 'close' | 'keep-alive' | '';
  /** Claims of the pass that goes with the answer; null for none. */
  readonly issue: TokenClaims | null;
  /** Where a token of the path form stood in front of the path, with the token; null for a request without one. */
  readonly pathForm: string | null;
}

/** The final head, with its cookies and what the route says. */
export function writeFinalHead(issuer: PassIssuer, answered: BegunAnswer, head: ResponseHead): string {
  const { permit, pathForm } = answered;
  const route = permit.route;
  const issued = issueLines(issuer, answered, answered.issue, head.status < 400);
  return writeResponseHead(head, {
    framing: answered.outgoing,
    requestId: answered.requestId,
    connection: answered.connection,
    lines:
      issued.lines +
      (route.cors === null && !route.variesByCredential ? '' : routeLines(permit, answered.request.head)),
    policy: route.response,
    isOverTls: route.response !== null && isOverTls(answered),
    isPrivate: isKeptPrivate(permit),
    saysCors: route.cors !== null,
    carriesToken: issued.carriesToken,
    keepsOurCookies: route.isOwnPages,
    pathForm,
    answered,
  });
}

/** What a client may see of an interim head, with nothing of ours. Only the final one frames a body. */
export function writeInterimHead(
  head: ResponseHead,
  answered: Pick<BegunAnswer, keyof AnsweredRequest | 'pathForm'>,
): string {
  const { route } = answered.permit;
  return writeResponseHead(head, {
    framing: 'close',
    requestId: '',
    connection: '',
    lines: '',
    carriesToken: false,
    pathForm: answered.pathForm,
    answered,
    policy: route.response,
    isOverTls: false,
    isPrivate: false,
    saysCors: route.cors !== null,
    keepsOurCookies: false,
  });
}

/** The head of a 101. @param upgradeLines  complete lines that say to what it switches */
export function writeSwitchHead(
  issuer: PassIssuer,
  answered: AnsweredRequest,
  head: ResponseHead,
  upgradeLines: string,
): string {
  return writeResponseHead(head, {
    framing: 'as-is',
    requestId: answered.requestId,
    connection: '',
    // nothing says that a client keeps the cookie of a 101, so no pass is issued with it
    lines: upgradeLines + issueLines(issuer, answered, null, false).lines,
    carriesToken: false,
    pathForm: null,
    answered: null,
    policy: null,
    isOverTls: false,
    isPrivate: false,
    saysCors: false,
    keepsOurCookies: false,
  });
}
