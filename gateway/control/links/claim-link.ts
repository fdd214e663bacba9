// Claims a link: the first request with the token puts the account on the resource's access list. US 10,043,025.
// One unit asks the access list two questions: is this account bound to this token, and is it authorised by anything else? A yes
// lets the account pass and writes nothing. Two noes lead to the write, whose condition repeats both questions: its row count is the verdict.
// A wrong pair, a revoked link and an account that may not claim write nothing at all.

import type { ClaimFacts } from '../../core/decision/verdict/decision-record.ts';
import { type LinkState, parseLinkToken, scopesCovering } from '../../core/model/link.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import { covers } from '../../core/model/path.ts';
import type { Unit } from '../../store/port/store.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { spendClaim } from '../../store/rows/claims.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import { insertMember, type MemberRow } from '../../store/rows/members.ts';
import type { LiveAccount } from '../access/live-account.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { askAccessList, type ListAnswers, type RefusedByList, type SettledByList } from './ask-access-list.ts';
import { tellOfClaim } from './link-mails.ts';
import { findPresentedLink, isInCollection, type Presentation } from './present-link.ts';

/** The outcome of a claim. Only `granted` wrote anything. */
export type ClaimOutcome =
  | { readonly kind: 'granted'; readonly linkId: string; readonly memberId: string; readonly answers: ListAnswers }
  | SettledByList
  | ClaimRefusal;

export type ClaimRefusal =
  | { readonly kind: 'full' }
  | { readonly kind: 'early'; readonly claimFromAt: number }
  | { readonly kind: 'past-window' }
  | { readonly kind: 'access-over' }
  | RefusedByList;

/**
 * @param presented  the link as the visitor sent it; its pair of key and token is checked here, and again in the unit
 * @throws StoreAway  then nothing was claimed, or the outcome is unknown; the visitor may come again, since claiming twice is harmless
 */
export async function claimLink(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
  requestId: string | null,
): Promise<ClaimOutcome> {
  const outcome = await askAndClaim(context, actor, presented, requestId);
  recordClaim(context, actor, presented, requestId, outcome);
  return outcome;
}

/**
 * The outcome that a claim would have at this moment, for a person who has not said yes yet: `would-claim` when the claim would put the account on the
 * access list. Writes nothing and claims nothing, also where the link changes meanwhile.
 *
 * @throws StoreAway
 */
export async function foreseeClaim(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
  requestId: string | null,
): Promise<Exclude<ClaimOutcome, { kind: 'granted' }> | { readonly kind: 'would-claim' }> {
  const outcome = await foresee(context, actor, presented);
  if (outcome.kind !== 'would-claim') recordClaim(context, actor, presented, requestId, outcome);
  return outcome;
}

async function foresee(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
): ReturnType<typeof foreseeClaim> {
  const { store, clock } = context;
  const asked = await askAccessList(store.sql, context.config(), actor, presented, clock.epochSeconds());
  if (asked.kind !== 'on-no-list') return asked;
  return asked.state === 'open' ? { kind: 'would-claim' } : refusalOf(asked.state, asked.link);
}

async function askAndClaim(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
  requestId: string | null,
): Promise<ClaimOutcome> {
  const config = context.config();
  // This check comes before any unit: wrong pairs and revoked links cost no write lock, however many are sent.
  const seen = await findPresentedLink(context.store.sql, presented);
  if (seen === null || !isInCollection(config, seen)) return { kind: 'wrong-pair' };
  if (seen.revoked_at !== null) return { kind: 'revoked' };

  const memberId = makeId('member', context.random(idRandomBytes));
  const written = await context.write(async (unit): Promise<ClaimOutcome> => {
    const asked = await askAccessList(unit.sql, config, actor, presented, unit.now);
    if (asked.kind !== 'on-no-list') return asked;
    const { link, account, state, collections, answers } = asked;

    const isSpent = await spendClaim(unit.sql, {
      linkId: link.id,
      linkKeyId: presented.key,
      secretDigest: link.secret_digest,
      accountId: account.id,
      now: unit.now,
      host: link.host,
      // The same rule as in `findAccessReason`: a resource outside of its collection, which became smaller, opens nothing.
      others: collections.map(({ name, path }) => ({
        collection: name,
        scopes: scopesCovering(link.path).filter((scope) => covers(path, scope)),
      })),
    });
    if (!isSpent) return refusalOf(state, link);
    await writeMember(context, unit, link, account, actor.deviceId, memberId, requestId);
    return { kind: 'granted', linkId: link.id, memberId, answers };
  });
  return written.value;
}

/** Why the write's condition did not hold, from the rows that were read in the same unit. */
function refusalOf(state: LinkState, link: LinkRow): ClaimRefusal {
  switch (state) {
    case 'early':
      return { kind: 'early', claimFromAt: link.claim_from_at ?? 0 };
    // The rows said that the link is open and the write's condition said no: the claim is refused, and nothing was spent.
    case 'open':
    case 'full':
      return { kind: 'full' };
    case 'past-window':
    case 'access-over':
    case 'revoked':
      return { kind: state };
    default:
      return state satisfies never;
  }
}

async function writeMember(
  context: ControlContext,
  unit: Unit,
  link: LinkRow,
  account: LiveAccount,
  deviceId: string,
  memberId: string,
  requestId: string | null,
): Promise<void> {
  const member: MemberRow = {
    id: memberId,
    link_id: link.id,
    access_key_id: link.access_key_id,
    account_id: account.id,
    collection: link.collection,
    host: link.host,
    path: link.path,
    device_id: deviceId,
    claimed_at: unit.now,
    last_seen_at: unit.now,
    revoked_at: null,
    revoked_by: null,
  };
  await insertMember(unit.sql, member);
  // The answers that edges remember about this account were read before the account was on the list.
  await unit.append({ kind: 'touch', node: account.id });
  await appendAudit(unit, {
    actor: account.id,
    action: 'link.claimed',
    subject: link.id,
    details: {
      member: memberId,
      access_key: link.access_key_id,
      device: deviceId,
      bound_to_this_link: false,
      authorised_otherwise: false,
    },
    requestId,
  });
  if (link.notify_members === 1) {
    const ownerName = await readPersonName(unit.sql, link.owner_id);
    await tellOfClaim(context, unit, link, account, ownerName);
  }
}

/**
 * Records both answers of the access list about an account that presented a link, whatever the outcome, so that `explain` shows them.
 * Writes nothing to the store: a refused claim leaves no row. The link's secret is never in the record.
 */
function recordClaim(
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
    // The visitor's text counts as a link's id only once the pair was found to be right.
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
