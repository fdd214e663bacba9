// The last phase of a request that goes to no upstream: what latchkey answers itself, and what is told of it.
// The client hears the public class of a refusal, the logs its reason. Each of these ends the request: its head goes back to the
// engine after the reports, and its connection closes where unread bytes could be taken for the next request.

import type { Permit } from '../../core/decision/decide.ts';
import type { Denial } from '../../core/decision/verdict/denial.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { cookieLines, setsSecureCookies } from '../answer/issue-pass.ts';
import { type RefusedMessage, refusedRequest } from '../answer/refused-message.ts';
import {
  type Answer,
  type AnswerContext,
  denialAnswer,
  doorsOf,
  type MessageRefusal,
  messageAnswer,
  ownLocation,
  portalAnswer,
  redirectAnswer,
  signInAnswer,
} from '../answer/responder.ts';
import { crossOriginLines } from '../answer/response-policy.ts';
import { preflightAnswer } from '../request/cross-origin.ts';
import { isNavigation } from '../request/describe.ts';
import type { Preflight } from '../request/early-rules.ts';
import { optionsAnswer } from '../request/early-rules.ts';
import type { Downstream } from './downstream.ts';
import { mayBeUpgrade } from './judge-upgrade.ts';
import type { RequestContext } from './request-context.ts';
import type { Runtime } from './runtime.ts';

/**
 * Answers a message that is no sound request, and ends its connection: what follows it cannot be trusted.
 *
 * @param head   when at least the head was sound
 * @param known  of the message, for the log
 */
export function refuseMessage(
  runtime: Runtime,
  downstream: Downstream,
  problem: MessageRefusal,
  head: RequestHead | null = null,
  known: RefusedMessage = refusedRequest(problem, head, runtime.snapshot.tokenPathPrefix),
): void {
  const requestId = runtime.requestIds.nextRequestId();
  const answer = messageAnswer(problem, requestId, head, runtime.snapshot);
  const hint = `refused message: ${problem}: ${known.detail}`;
  runtime.reports.messageRefused({
    client: downstream.peerAddress,
    requestId,
    answer,
    hint,
    message: known,
    head,
    tls: downstream.connection.tlsVersion,
  });
  downstream.answer(answer.text, true);
}

/** A request that was denied. */
export function refuse(runtime: Runtime, context: RequestContext, denial: Denial): void {
  const { downstream, request } = context;
  const head = request.head;
  runtime.metrics.decision(null, denial.reason);
  // unread body bytes would be taken for the next request, and so would those of another protocol
  const leavesBytes = head.hasBody || mayBeUpgrade(head, denial.route);
  const close = !head.isPersistent || leavesBytes || runtime.engine.isDraining;
  const cookies = denial.cookies === null ? '' : cookieLines(denial.cookies, setsSecureCookies(context), null);
  const lines = cookies + crossOriginLines(denial.route, head);
  const answer = refusalOf(context, denial, lines, close);
  const hint =
    denial.reason === 'no-credential'
      ? runtime.reports.playlistHint(request, denial.route, runtime.ticker.nowMs)
      : null;
  runtime.reports.requestDenied(context, denial, answer, hint);
  runtime.engine.giveRequestHead(head);
  downstream.answer(answer.text, close);
}

function refusalOf(context: RequestContext, denial: Denial, lines: string, close: boolean): Answer {
  const { request, snapshot } = context;
  const answerContext = answerContextOf(context);
  if (denial.leadsTo === 'portal') {
    return portalAnswer(snapshot.reservedPrefix + request.path.slice(1), answerContext, close);
  }
  if (denial.leadsTo === 'folder') return redirectAnswer(ownLocation(request, snapshot, '/'), answerContext, close);
  if (denial.leadsTo === 'path') return redirectAnswer(ownLocation(request, snapshot, ''), answerContext, close);
  if (!answerContext.isPage) return denialAnswer(denial, answerContext, lines, close);
  if (denial.leadsTo === 'sign-in') return signInAnswer(request, snapshot.reservedPrefix, answerContext, lines, close);
  const isKnown = denial.reason === 'not-a-member' || denial.reason === 'not-allowed-here';
  const doors = isKnown ? doorsOf(request, snapshot) : '';
  return denialAnswer(denial, answerContext, lines, close, doors);
}

/** A request that its listener sends to https. */
export function redirect(runtime: Runtime, context: RequestContext, location: string): void {
  const { downstream, request } = context;
  const head = request.head;
  const close = !head.isPersistent || head.hasBody;
  const answer = redirectAnswer(location, answerContextOf(context), close);
  runtime.reports.requestRedirected(context, answer);
  runtime.engine.giveRequestHead(head);
  downstream.answer(answer.text, close);
}

/** A preflight of an allowed origin: answered for anyone, and no upstream hears of it. */
export function answerPreflight(runtime: Runtime, context: RequestContext, { route, lines }: Preflight): void {
  runtime.metrics.decision('anyone', null);
  const allowed = { route, how: 'anyone', user: null } as const;
  runtime.reports.endedHere(context, allowed, 204, 'a preflight, answered by latchkey');
  const { connection, close } = afterOptions(context);
  runtime.engine.giveRequestHead(context.request.head);
  context.downstream.answer(preflightAnswer(lines, context.requestId, connection), close);
}

/** An OPTIONS that may go no further. */
export function answerOptions(runtime: Runtime, context: RequestContext, { route, how, claims }: Permit): void {
  const allowed = { route, how, user: claims?.sub ?? null };
  runtime.reports.endedHere(context, allowed, 204, 'OPTIONS with Max-Forwards: 0, answered by latchkey');
  const { connection, close } = afterOptions(context);
  runtime.engine.giveRequestHead(context.request.head);
  context.downstream.answer(optionsAnswer(context.requestId, connection), close);
}

function afterOptions({ request }: RequestContext): { connection: 'close' | 'keep-alive' | ''; close: boolean } {
  const { head } = request;
  const close = !head.isPersistent || head.hasBody;
  return { connection: close ? 'close' : head.minorVersion === 0 ? 'keep-alive' : '', close };
}

function answerContextOf({ request, requestId, snapshot }: RequestContext): AnswerContext {
  const head = request.head;
  return {
    requestId,
    isHead: head.method === 'HEAD',
    isPage: isNavigation(head),
    minorVersion: head.minorVersion,
    place: snapshot,
  };
}
