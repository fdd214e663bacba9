// The life of a request, phase by phase, each with the reason for its place:
//   describe → listener's rules → early rules → decide → (ask control → decide again) → enforce: forward or answer → report.
// Only this file calls `decide` for a request that came in (decide-again.ts judges what is open), and only it forwards.

import { type Decision, decide, type Permit } from '../../core/decision/decide.ts';
import { type Answers, type Lookup, noAnswers } from '../../core/decision/state/lookups.ts';
import { deny } from '../../core/decision/verdict/denial.ts';
import type { VerifiedToken } from '../../core/token/common-key-token.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import { maxPassages, withPassages } from '../../telemetry/request-id.ts';
import { checkGate, type Gate } from '../listen/listener-gate.ts';
import { notedForSeconds } from '../live/last-seen.ts';
import { describe } from '../request/describe.ts';
import { endsHere, judgeEarly } from '../request/early-rules.ts';
import { limitByIdentity } from '../request/rate-limits.ts';
import { writeRequestHead } from '../request/request-writer.ts';
import { secondTargetLines } from '../request/second-targets.ts';
import type { Downstream } from './downstream.ts';
import { Exchange } from './exchange.ts';
import { judgeUpgrade, upgradeLines } from './judge-upgrade.ts';
import { answerOptions, answerPreflight, redirect, refuse, refuseMessage } from './own-answers.ts';
import type { RequestContext } from './request-context.ts';
import type { Runtime } from './runtime.ts';
import { forwardedLines, ownLines } from './upstream-lines.ts';

/** Takes a sound head through all phases. Synchronous but for a look-up. */
export function beginRequest(runtime: Runtime, downstream: Downstream, head: RequestHead): void {
  const startedMs = monotonicMs();
  const { snapshot } = runtime;
  const now = runtime.ticker.epochSeconds;

  // 1. Describe: facts without judgement. First, because what has no canonical form must not reach any rule.
  const request = describe(head, snapshot, downstream.peerAddress, downstream.hostMemo, downstream.connection.scheme);
  if (typeof request === 'string') {
    refuseMessage(runtime, downstream, request, head);
    return;
  }
  const requestId = request.requestId ?? runtime.requestIds.nextRequestId();
  const trace = snapshot.tracesRequests ? runtime.traces.begin(request.trace) : null;
  const context: RequestContext = { downstream, request, snapshot, now, requestId, trace, startedMs };

  // Before anything is asked or opened for it: each round of a request that goes round holds two connections.
  if (request.passages > maxPassages) {
    refuse(runtime, context, deny('forward-loop', null, 'an upstream leads back here, by itself or through others'));
    return;
  }

  // 1b. The listener's own rules: where a request came in can only take away from what it may do.
  const gate = downstream.connection.rules.gate;
  if (gate !== null && !passGate(runtime, context, gate)) return;

  // 2. Early rules, where a route has some: a flood must not cost signatures, and a preflight carries no credential to decide on.
  if (snapshot.hasEarlyRules) {
    const early = judgeEarly(request, snapshot, runtime.rateBuckets, startedMs);
    if (early !== null) {
      if (early.kind === 'preflight') answerPreflight(runtime, context, early);
      else refuse(runtime, context, early);
      return;
    }
  }

  // 3. Decide: pure, and before anything is opened or written on behalf of this request.
  runtime.live.nowMs = startedMs;
  const decision = decide(request, snapshot, runtime.live, now, null);
  // when the edge has more to do than it gets done, requests are refused that have shown no verified credential
  const tooMuch = runtime.overload.level === 0 ? null : runtime.overload.refuse(decision);
  if (tooMuch !== null) {
    refuse(runtime, context, tooMuch);
    return;
  }
  if (decision.kind === 'lookup') {
    // 4. Ask control: only where the verdict needs it, while the client's further bytes wait.
    void askControl(runtime, context, decision);
    return;
  }
  enforce(runtime, context, decision);
}

// A session that has run out, then what it may open, then a password beside it: no request has more questions.
const maxQuestions = 3;

async function askControl(runtime: Runtime, context: RequestContext, first: Lookup): Promise<void> {
  const { downstream, request } = context;
  downstream.waitForDecision();
  let answers: Answers = noAnswers;
  let decision: Decision = first;
  for (let asked = 0; decision.kind === 'lookup'; asked++) {
    if (asked === maxQuestions) throw new Error('decide asks more than it is answered');
    answers = await runtime.membership.lookups.answer(decision, answers, request.clientAddress);
    runtime.live.nowMs = monotonicMs();
    decision = decide(request, context.snapshot, runtime.live, context.now, answers);
  }
  // the client may have left while control was thinking
  if (downstream.isClosed) {
    clientLeft(runtime, context, decision);
    return;
  }
  enforce(runtime, context, decision);
  downstream.decisionCame();
}

/** The client was gone before there was an answer. */
const unheard = { status: 0, bodyBytes: 0 } as const;

const clientLeftHint = 'the client left before it was answered';

/** The client will not hear the verdict: nothing is opened and no pass is made, but logs and counters say what was decided. */
function clientLeft(runtime: Runtime, context: RequestContext, decision: Exclude<Decision, Lookup>): void {
  runtime.metrics.decision(
    decision.kind === 'allow' ? decision.how : null,
    decision.kind === 'deny' ? decision.reason : null,
  );
  if (decision.kind === 'deny') runtime.reports.requestDenied(context, decision, unheard, null);
  else {
    const { route, how, claims } = decision;
    runtime.reports.endedHere(context, { route, how, user: claims?.sub ?? null }, 0, clientLeftHint);
  }
  runtime.engine.giveRequestHead(context.request.head);
}

function enforce(runtime: Runtime, context: RequestContext, decision: Exclude<Decision, Lookup>): void {
  switch (decision.kind) {
    case 'allow':
      forward(runtime, context, decision);
      return;
    case 'deny':
      refuse(runtime, context, decision);
      return;
    default:
      decision satisfies never;
  }
}

/** @returns false when the request was answered here */
function passGate(runtime: Runtime, context: RequestContext, gate: Gate): boolean {
  const { downstream, request, snapshot, now } = context;
  const verdict = checkGate(gate, downstream.connection, request, snapshot, now);
  switch (verdict.kind) {
    case 'pass':
      return true;
    case 'refuse':
      refuse(runtime, context, deny(verdict.reason, null, verdict.detail));
      return false;
    case 'redirect':
      redirect(runtime, context, verdict.location);
      return false;
    default:
      return verdict satisfies never;
  }
}

/** 5. Forward: what could still refuse, then strip and add, then open. Cannot be called without a permit. */
function forward(runtime: Runtime, context: RequestContext, permit: Permit): void {
  const { downstream, request, snapshot, requestId } = context;
  const route = permit.route;
  // 5a. Before anything counts as allowed: what leaves HTTP is not decided on again, so it has more to prove.
  const upgrade = request.head.hasUpgrade ? judgeUpgrade(request, permit, downstream.connection) : null;
  if (typeof upgrade === 'string') {
    refuseMessage(runtime, downstream, upgrade, request.head);
    return;
  }
  if (upgrade !== null && 'reason' in upgrade) {
    refuse(runtime, context, upgrade);
    return;
  }
  // 5b. What a request does to a second resource was not decided on yet.
  const { scheme } = downstream.connection;
  const targets = request.hasSecondTarget ? secondTargetLines({ request, permit, snapshot, scheme }) : '';
  if (typeof targets !== 'string') {
    refuse(runtime, context, targets);
    return;
  }
  // 5c. Limits last before anything is made for the request: only now it is known whom to count.
  const limited =
    route.rateLimits === null
      ? null
      : limitByIdentity(runtime.rateBuckets, permit, request.clientAddress, context.startedMs);
  const crowded = limited ?? (route.isOwnPages ? runtime.ownPages.refuse(request.clientAddress, route) : null);
  if (crowded !== null) {
    refuse(runtime, context, crowded);
    return;
  }
  runtime.metrics.decision(permit.how, null);
  if (request.method === 'OPTIONS' && endsHere(request.head)) {
    answerOptions(runtime, context, permit);
    return;
  }
  if (permit.claims !== null) noteHolder(runtime, context, permit);
  // 5d. Strip, then add: no field of the client's may stand in the place of ours.
  const origin = forwardedLines(context, permit);
  const added = targets + (upgrade === null ? origin : origin + upgradeLines(upgrade));
  const sentId = withPassages(requestId, request.passages);
  const own = ownLines(runtime, context, permit);
  const headText = writeRequestHead(permit, request, snapshot.tokenParameter, sentId, added, own);
  const exchange = new Exchange(runtime, context, permit, headText);
  if (upgrade !== null) exchange.upgrade = upgrade;
  // 5e. Before anything is opened; a chunked body says its length only as it comes.
  if (request.head.contentLength > route.limits.maxBodyBytes) {
    exchange.refuseBody('body-too-large');
    return;
  }
  if (route.isOwnPages) runtime.ownPages.enter(exchange);
  downstream.forward(exchange);
}

/** What is kept of an allowed request whose credential says whose it is: when it was last used, and whether it is to be renewed. */
function noteHolder(runtime: Runtime, context: RequestContext, permit: Permit): void {
  const { request, snapshot, now } = context;
  const { token, route } = permit;
  const { lastSeen, renewals } = runtime.membership;
  if (token === null ? permit.how === 'member' : isOurs(token) && now - token.notedAt >= notedForSeconds) {
    lastSeen.note(permit, now);
  }
  if (permit.renew !== null) renewals.begin(permit.renew, { request, route, snapshot, now });
  runtime.reports.playlists.remember(request, permit.place, runtime.ticker.nowMs);
}

/** A pass or a session that can be renewed, so it says whose it is. */
function isOurs(token: VerifiedToken): boolean {
  return token.renewFrom !== Number.POSITIVE_INFINITY;
}
