// The life of a request, phase by phase, each with the reason for its place:
//   describe → early rules → decide → (ask control → decide again) → enforce: forward or answer → telemetry.
// Only this file calls `decide` for a proxied request (reconsider.ts asks again for tunnels), and only it forwards.

import { type Decision, decide, type Permit } from '../../core/decision/decide.ts';
import type { RequestPolicy } from '../../core/decision/policy/request-policy.ts';
import { type Answers, type Lookup, noAnswers } from '../../core/decision/state/lookups.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { VerifiedToken } from '../../core/token/common-key-token.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import { maxPassages, withPassages } from '../../telemetry/request-id.ts';
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
import { checkGate, type Gate } from '../listen/listener-gate.ts';
import { notedForSeconds } from '../live/last-seen.ts';
import { preflightAnswer } from '../request/cross-origin.ts';
import { type Described, describe, isNavigation } from '../request/describe.ts';
import { judgeEarly, type Preflight } from '../request/early-rules.ts';
import { endsHere, optionsAnswer } from '../request/max-forwards.ts';
import { limitByIdentity } from '../request/rate-limits.ts';
import {
  viaLine,
  writeForwardedLines,
  writeRequestHead,
  writeTrustedForwardedLines,
} from '../request/request-writer.ts';
import { secondTargetLines } from '../request/second-targets.ts';
import { trustedScheme } from '../request/transport-security.ts';
import type { Downstream } from './downstream.ts';
import { Exchange } from './exchange.ts';
import { judgeUpgrade, mayBeUpgrade, upgradeLines } from './judge-upgrade.ts';
import type { Runtime } from './runtime.ts';

/** A request on its way through the phases. */
interface Passage {
  readonly downstream: Downstream;
  readonly request: Described;
  /** Taken once: a reload never changes a request in flight. */
  readonly snapshot: Snapshot;
  readonly now: EpochSeconds;
  readonly requestId: string;
  readonly startedMs: number;
}

/** Takes a sound head through all phases. Synchronous but for a look-up. */
export function beginRequest(runtime: Runtime, downstream: Downstream, head: RequestHead): void {
  const startedMs = monotonicMs();
  const { snapshot } = runtime;
  const now = runtime.ticker.epochSeconds;

  // 1. Describe: facts without judgement. First, because what has no canonical form must not reach any rule.
  const request = describe(head, snapshot, downstream.peerAddress, downstream.hostMemo, downstream.arrival.scheme);
  if (typeof request === 'string') {
    refuseMessage(runtime, downstream, request, head);
    return;
  }
  const requestId = request.requestId ?? runtime.requestIds.nextRequestId();
  const passage: Passage = { downstream, request, snapshot, now, requestId, startedMs };

  // Before anything is asked or opened for it: each round of a request that goes round holds two connections.
  if (request.passages > maxPassages) {
    refuse(runtime, passage, deny('forward-loop', null, 'an upstream leads back here, by itself or through others'));
    return;
  }

  // 1b. The listener's own rules: where a request came in can only take away from what it may do.
  const { gate } = downstream.arrival.rules;
  if (gate !== null && !passGate(runtime, passage, gate)) return;

  // 2. Early rules, where a route has some: a flood must not cost signatures, and a preflight carries no credential to decide on.
  if (snapshot.hasEarlyRules) {
    const early = judgeEarly(request, snapshot, runtime.rateBuckets, startedMs);
    if (early !== null) {
      if (early.kind === 'preflight') answerPreflight(runtime, passage, early);
      else refuse(runtime, passage, early);
      return;
    }
  }

  // 3. Decide: pure, and before anything is opened or written on behalf of this request.
  runtime.live.nowMs = startedMs;
  const decision = decide(request, snapshot, runtime.live, now, null);
  // when there is more to do than gets done, those go first who have shown least
  const tooMuch = runtime.overload.level === 0 ? null : runtime.overload.refuse(decision);
  if (tooMuch !== null) {
    refuse(runtime, passage, tooMuch);
    return;
  }
  if (decision.kind === 'lookup') {
    // 4. Ask control: only where the verdict needs it, while the client's further bytes wait.
    void askControl(runtime, passage, decision);
    return;
  }
  enforce(runtime, passage, decision);
}

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
  const answer = messageAnswer(problem, requestId, head);
  runtime.metrics.parseRefusals++;
  const hint = `refused message: ${problem}: ${known.detail}`;
  runtime.messageRefused(downstream, requestId, answer.status, hint, known);
  downstream.answer(answer.text, true);
}

// A session that has run out, then what it may open, then a password beside it: no request has more to ask.
const maxQuestions = 3;

async function askControl(runtime: Runtime, passage: Passage, first: Lookup): Promise<void> {
  const { downstream, request } = passage;
  downstream.waitForDecision();
  let answers: Answers = noAnswers;
  let decision: Decision = first;
  for (let asked = 0; decision.kind === 'lookup'; asked++) {
    if (asked === maxQuestions) throw new Error('decide asks more than it is answered');
    answers = await runtime.membership.lookups.answer(decision, answers, request.clientAddress);
    runtime.live.nowMs = monotonicMs();
    decision = decide(request, passage.snapshot, runtime.live, passage.now, answers);
  }
  // the client may have left while control was thinking
  if (downstream.isClosed) {
    clientLeft(runtime, passage, decision);
    return;
  }
  enforce(runtime, passage, decision);
  downstream.decisionCame();
}

const clientLeftHint = 'the client left before it was answered';

/** Nobody is there to hear the verdict: nothing is opened and no pass is made, but the guess leaves its lines. */
function clientLeft(runtime: Runtime, passage: Passage, decision: Exclude<Decision, Lookup>): void {
  runtime.metrics.decision(
    decision.kind === 'allow' ? decision.how : null,
    decision.kind === 'deny' ? decision.reason : null,
  );
  if (decision.kind === 'deny') runtime.requestDenied(passage, decision, 0, null);
  else runtime.endedHere(passage, decision.route, decision.how, decision.claims?.sub ?? null, 0, clientLeftHint);
  runtime.giveRequestHead(passage.request.head);
}

function enforce(runtime: Runtime, passage: Passage, decision: Exclude<Decision, Lookup>): void {
  switch (decision.kind) {
    case 'allow':
      forward(runtime, passage, decision);
      return;
    case 'deny':
      refuse(runtime, passage, decision);
      return;
    default:
      decision satisfies never;
  }
}

/** @returns false when the request was answered here */
function passGate(runtime: Runtime, passage: Passage, gate: Gate): boolean {
  const { downstream, request, snapshot, now } = passage;
  const verdict = checkGate(gate, downstream.arrival, request, snapshot, now);
  switch (verdict.kind) {
    case 'pass':
      return true;
    case 'refuse':
      refuse(runtime, passage, deny(verdict.reason, null, verdict.detail));
      return false;
    case 'redirect':
      redirect(runtime, passage, verdict.location);
      return false;
    default:
      return verdict satisfies never;
  }
}

function redirect(runtime: Runtime, passage: Passage, location: string): void {
  const { downstream, request } = passage;
  const head = request.head;
  const close = !head.isPersistent || head.hasBody;
  const answer = redirectAnswer(location, contextOf(passage), close);
  runtime.requestRedirected(passage, answer.status);
  runtime.giveRequestHead(head);
  downstream.answer(answer.text, close);
}

function contextOf({ request, requestId }: Passage): AnswerContext {
  const head = request.head;
  return {
    requestId,
    isHead: head.method === 'HEAD',
    isPage: isNavigation(head),
    minorVersion: head.minorVersion,
  };
}

/** 5a. Forward: strip, then add, then open. Cannot be called without a permit. */
function forward(runtime: Runtime, passage: Passage, permit: Permit): void {
  const { downstream, request, snapshot, requestId } = passage;
  const route = permit.route;
  // before anything counts as allowed: what leaves HTTP is not decided on again, so it has more to prove
  const upgrade = request.head.hasUpgrade ? judgeUpgrade(request, permit, downstream.arrival) : null;
  if (typeof upgrade === 'string') {
    refuseMessage(runtime, downstream, upgrade, request.head);
    return;
  }
  if (upgrade !== null && 'reason' in upgrade) {
    refuse(runtime, passage, upgrade);
    return;
  }
  // what a request does to a second resource was not decided on yet
  const targets = request.hasSecondTarget ? secondTargetLines(judgingOf(passage, permit)) : '';
  if (typeof targets !== 'string') {
    refuse(runtime, passage, targets);
    return;
  }
  if (route.rateLimits !== null) {
    // last before anything is made for it, and only now it is known whom to count
    const limited = limitByIdentity(runtime.rateBuckets, permit, request.clientAddress, passage.startedMs);
    if (limited !== null) {
      refuse(runtime, passage, limited);
      return;
    }
  }
  if (route.isOwnPages) {
    const crowded = runtime.ownPages.refuse(request.clientAddress, route);
    if (crowded !== null) {
      refuse(runtime, passage, crowded);
      return;
    }
  }
  runtime.metrics.decision(permit.how, null);
  if (request.method === 'OPTIONS' && endsHere(request.head)) {
    answerOptions(runtime, passage, permit);
    return;
  }
  let ownLines = snapshot.saysVia ? viaLine(request.head) : '';
  if (permit.claims !== null) {
    ownLines += permit.token === null ? route.identity(permit.claims) : permit.token.identityLines(route.identity);
    if (route.assertion) ownLines += runtime.assertions.line(permit.claims, route, snapshot.issuer, passage.now);
    const token = permit.token;
    if (token === null ? permit.how === 'member' : isOurs(token) && passage.now - token.notedAt >= notedForSeconds) {
      runtime.membership.lastSeen.note(permit, passage.now);
    }
    if (permit.renew !== null) {
      runtime.membership.renewals.begin(permit.renew, { request, route, snapshot, now: passage.now });
    }
    runtime.lostTokens.remember(request, permit.place, runtime.ticker.nowMs);
  }
  if (route.request !== null) ownLines += ruledLines(route.request, passage, permit);
  let forwardedLines = request.isFromTrustedProxy
    ? writeTrustedForwardedLines(request, route, downstream.arrival.scheme) + certificateLine(downstream)
    : rememberedForwardedLines(downstream);
  if (upgrade !== null) forwardedLines += upgradeLines(upgrade);
  forwardedLines = targets + forwardedLines;
  const sentId = withPassages(requestId, request.passages);
  const headText = writeRequestHead(permit, request, snapshot.tokenParameter, sentId, forwardedLines, ownLines);
  const group = runtime.groupOf(route);
  const exchange = new Exchange(runtime, downstream, request, permit, group, headText, requestId, passage.startedMs);
  if (upgrade !== null) exchange.upgrade = upgrade;
  // before anything is opened; a chunked body says its length only as it comes
  if (request.head.contentLength > route.limits.maxBodyBytes) {
    exchange.refuseBody('body-too-large');
    return;
  }
  if (route.isOwnPages) {
    runtime.ownPages.enter(exchange);
    if (request.head.hasBody) runtime.ownBodies.enter(exchange);
  }
  downstream.forward(exchange);
}

function judgingOf(
  { request, snapshot, downstream }: Passage,
  permit: Permit,
): Parameters<typeof secondTargetLines>[0] {
  return { request, permit, snapshot, scheme: downstream.arrival.scheme };
}

/** What the route's own rule adds; lines that hang on claims alone came with the identity. */
function ruledLines(rule: RequestPolicy, { downstream, request, requestId }: Passage, permit: Permit): string {
  if (!rule.hangsOnRequest) return rule.lines;
  const { scheme } = downstream.arrival;
  return (
    rule.lines +
    rule.requestLines({
      host: request.host,
      scheme: request.isFromTrustedProxy ? trustedScheme(request.head, scheme) : scheme,
      clientAddress: request.clientAddress,
      requestId,
      route: permit.route.name,
      claims: permit.claims,
    })
  );
}

/** A pass or a session that can be renewed, so it says whose it is. */
function isOurs(token: VerifiedToken): boolean {
  return token.renewFrom !== Number.POSITIVE_INFINITY;
}

/** The same for all requests of a connection that name one host. */
function rememberedForwardedLines(downstream: Downstream): string {
  const { hostMemo, peerAddress } = downstream;
  if (hostMemo.forwardedLines === '') {
    hostMemo.forwardedLines =
      writeForwardedLines(peerAddress, downstream.arrival.scheme, hostMemo.hostField) + certificateLine(downstream);
  }
  return hostMemo.forwardedLines;
}

/** What the upstream is told of the client's certificate, with its line end; empty without a good one. */
function certificateLine({ arrival }: Downstream): string {
  return arrival.certificate?.line ?? '';
}

/** 5b. Refuse: the public class to the client, the reason to the log. */
function refuse(runtime: Runtime, passage: Passage, denial: Denial): void {
  const { downstream, request } = passage;
  const head = request.head;
  runtime.metrics.decision(null, denial.reason);
  // unread body bytes would be taken for the next request, and so would those of another protocol
  const leavesBytes = head.hasBody || mayBeUpgrade(head, denial.route);
  const close = !head.isPersistent || leavesBytes || runtime.isDraining;
  const cookies =
    denial.cookies === null ? '' : cookieLines(denial.cookies, setsSecureCookies({ request, downstream }), null);
  const lines = cookies + crossOriginLines(denial.route, head);
  const context = contextOf(passage);
  const answer = refusalOf(passage, denial, context, lines, close);
  const hint = denial.reason === 'no-credential' ? runtime.lostTokenHint(request, denial.route) : null;
  runtime.requestDenied(passage, denial, answer.status, hint);
  runtime.giveRequestHead(head);
  downstream.answer(answer.text, close);
}

function refusalOf(
  { request, snapshot }: Passage,
  denial: Denial,
  context: AnswerContext,
  lines: string,
  close: boolean,
): Answer {
  if (denial.leadsTo === 'portal') return portalAnswer(snapshot.reservedPrefix, context, close);
  if (denial.leadsTo === 'folder') return redirectAnswer(ownLocation(request, snapshot, '/'), context, close);
  if (denial.leadsTo === 'path') return redirectAnswer(ownLocation(request, snapshot, ''), context, close);
  if (!context.isPage) return denialAnswer(denial, context, lines, close);
  if (denial.leadsTo === 'sign-in') return signInAnswer(request, snapshot.reservedPrefix, context, lines, close);
  const doors = denial.reason === 'not-a-member' ? doorsOf(request, snapshot) : '';
  return denialAnswer(denial, context, lines, close, doors);
}

/** 5c. A preflight of an allowed origin: answered for anyone, and no upstream hears of it. */
function answerPreflight(runtime: Runtime, passage: Passage, preflight: Preflight): void {
  const { downstream, request, requestId } = passage;
  const head = request.head;
  const close = !head.isPersistent || head.hasBody;
  const connection = close ? 'close' : head.minorVersion === 0 ? 'keep-alive' : '';
  runtime.metrics.decision('anyone', null);
  runtime.endedHere(passage, preflight.route, 'anyone', null, 204, 'a preflight, answered by latchkey');
  runtime.giveRequestHead(head);
  downstream.answer(preflightAnswer(preflight.lines, requestId, connection), close);
}

/** 5d. An OPTIONS that may go no further. */
function answerOptions(runtime: Runtime, passage: Passage, permit: Permit): void {
  const { downstream, request, requestId } = passage;
  const head = request.head;
  const close = !head.isPersistent || head.hasBody;
  const connection = close ? 'close' : head.minorVersion === 0 ? 'keep-alive' : '';
  const user = permit.claims?.sub ?? null;
  runtime.endedHere(passage, permit.route, permit.how, user, 204, 'OPTIONS with Max-Forwards: 0, answered by latchkey');
  runtime.giveRequestHead(head);
  downstream.answer(optionsAnswer(requestId, connection), close);
}

export type { Passage };
