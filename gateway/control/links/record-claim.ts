// Records both answers of the access list to whoever presented a link, whatever came of it, so that `explain` shows them.
// Writes nothing to the store: a refused claim leaves no row. The link's secret is never in it.

import type { ClaimFacts } from '../../core/model/decision-record.ts';
import { parseLinkToken } from '../../core/model/link.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import type { ClaimOutcome } from './claim-link.ts';
import type { Presentation } from './present-link.ts';

export function recordClaim(
  context: Pick<ControlContext, 'decisions' | 'clock'>,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
  requestId: string | null,
  outcome: ClaimOutcome,
): void {
  if (requestId === null) return;
  const answers = 'answers' in outcome ? outcome.answers : null;
  const member = 'memberId' in outcome ? outcome.memberId : null;
  const claim: ClaimFacts = {
    // what a visitor typed is a link's id only once the pair was found to be right
    link: outcome.kind === 'wrong-pair' ? '' : (parseLinkToken(presented.token)?.linkId ?? ''),
    accessKey: outcome.kind === 'wrong-pair' ? '' : presented.key,
    account: actor.accountId,
    device: actor.deviceId,
    outcome: outcome.kind,
    isBound: answers?.isBound ?? null,
    isAuthorisedOtherwise: answers?.isAuthorisedOtherwise ?? null,
    member,
  };
  context.decisions.append({
    id: requestId,
    at: context.clock.epochSeconds(),
    by: 'control',
    client: '',
    method: 'GET',
    host: presented.host,
    path: presented.path.slice(0, 512),
    route: null,
    status: 0,
    outcome: 'claim',
    reason: outcome.kind,
    detail: null,
    holder: null,
    user: actor.accountId,
    grant: outcome.kind === 'yours-otherwise' ? outcome.grant : member,
    nodes: [],
    presented: [],
    position: null,
    claim,
  });
}
