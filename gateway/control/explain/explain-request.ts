// Why was this request let in, or refused? The answer comes from the request's records, and from the chain of provenance as the store has it now: who
// claimed, by which link, from whom, when, on which device; and for refusals which check failed and what was revoked when.
// The answer names people, so only administrators and people who may run commands on the machine get it. Reads only.

import type { DecisionRecord } from '../../core/decision/verdict/decision-record.ts';
import { auditSentence, isAuditAction } from '../../core/model/audit.ts';
import { listAuditOfRequest } from '../../store/rows/audit.ts';
import type { DecisionLedger } from '../context/control-context.ts';
import { type ChainLink, type ProvenanceContext, readProvenance } from './read-provenance.ts';
import { reasonText } from './reason-texts.ts';

export type Explanation =
  | {
      readonly kind: 'found';
      /** The decision; when one id has several, the last decision that an edge made. */
      readonly record: DecisionRecord;
      /** All records of the request, oldest first: a claim is recorded by an edge and by control. */
      readonly records: readonly DecisionRecord[];
      readonly chain: readonly ChainLink[];
    }
  | { readonly kind: 'not-found'; readonly hint: string };

/** What an explanation reads. */
interface ExplainContext extends ProvenanceContext {
  readonly decisions: Pick<DecisionLedger, 'find'>;
}

const maxRequestIdLength = 200;

/** @throws StoreAway */
export async function explainRequest(context: ExplainContext, requestId: string): Promise<Explanation> {
  if (requestId === '' || requestId.length > maxRequestIdLength) return notFound('this is not a request id');
  const records = await context.decisions.find(requestId);
  const record = records.findLast(({ outcome }) => outcome !== 'claim') ?? records.at(-1);
  if (record === undefined) {
    return notFound(
      'records are kept for 24 hours, on the node that answered; requests with outside tokens and of open routes are only ' +
        'recorded with explain: all',
    );
  }
  const chain: ChainLink[] = [];
  for (const each of records) chain.push(...describe(each));
  chain.push(...(await readProvenance(context, records)));
  const entries = await listAuditOfRequest(context.store.sql, requestId);
  for (const { at, actor, action, subject } of entries) {
    const text = isAuditAction(action) ? auditSentence(action, actor) : `${actor}: ${action}`;
    chain.push({ at, node: subject, text: `audit log: ${text}` });
  }
  return { kind: 'found', record, records, chain };
}

function describe(record: DecisionRecord): ChainLink[] {
  const { at, claim } = record;
  const what = `${record.method} ${record.host}${record.path}`;
  const links: ChainLink[] = [];
  if (record.outcome !== 'claim') {
    const verb = record.outcome === 'allow' ? 'let in' : 'refused';
    const route = record.route === null ? '' : ` on route ${record.route}`;
    links.push({ at, node: null, text: `${what} was ${verb}${route}: ${reasonText(record.reason)}` });
    if (record.detail !== null) links.push({ at, node: null, text: record.detail });
    for (const { type, key, sub } of record.presented) {
      const whose = sub === undefined ? '' : ` of ${sub}`;
      links.push({ at, node: sub ?? null, text: `presented: ${typeTexts[type]}${whose}, signed by key ${key}` });
    }
  }
  if (claim !== undefined) {
    const answer = (value: boolean | null): string => (value === null ? 'not asked' : value ? 'yes' : 'no');
    links.push(
      { at, node: claim.link, text: `the link was presented, with access key ${claim.accessKey}: ${claim.outcome}` },
      { at, node: claim.account, text: `is the account bound to this link already? ${answer(claim.isBound)}` },
      {
        at,
        node: claim.account,
        text: `is it authorised by anything else? ${answer(claim.isAuthorisedOtherwise)}`,
      },
    );
  }
  return links;
}

const typeTexts = { outside: 'an outside token', pass: 'a pass', session: 'a session' } as const;

function notFound(hint: string): Explanation {
  return { kind: 'not-found', hint };
}
