// The history as administrators read it: entries of the audit log by who, what and when, with the names of the people and things in them.
// Names are those of today, since the log holds ids only; a person who was deleted has none any more.

import { type AuditAction, auditActions } from '../../core/model/audit.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { listAccountRows } from '../../store/rows/account-lists.ts';
import { type AuditEntry, listAudit, type RecordName, readRecordNames } from '../../store/rows/audit.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';

/** Kinds of entries that people may ask for, by the first part of their actions. */
export const historyTopics = {
  accounts: ['account'],
  'sign-ins': ['session', 'device'],
  sharing: ['link', 'member', 'access', 'access-key', 'share', 'representation'],
  keys: ['key', 'credential', 'credential-key', 'token'],
  installation: ['store', 'audit', 'limit', 'outbox'],
} as const;

/** A kind of entries. */
type HistoryTopic = keyof typeof historyTopics;

export interface HistoryQuery {
  /** Part of an address or a name; empty for everybody. `operator` is who uses the command line. */
  readonly who?: string | undefined;
  readonly topic?: HistoryTopic | undefined;
  /** Only what was done to the record with this id. */
  readonly subject?: string | undefined;
  readonly from?: EpochSeconds | undefined;
  /** Exclusive. */
  readonly until?: EpochSeconds | undefined;
  /** `next` of the page before. */
  readonly before?: number | undefined;
  /** 1 to 500. */
  readonly limit: number;
}

export interface HistoryPage {
  readonly kind: 'read';
  readonly entries: readonly AuditEntry[];
  /** By id, for the ids of actors, subjects and details. */
  readonly names: ReadonlyMap<string, RecordName>;
  readonly next: number | null;
}

/** Most accounts that one name is looked up for. */
const maxPeople = 100;

/** A page of the history, newest first. */
export async function readHistory(
  { store }: Pick<ControlContext, 'store'>,
  actor: Actor,
  query: HistoryQuery,
): Promise<HistoryPage | { readonly kind: 'refused'; readonly reason: 'not-allowed' }> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const { sql } = store;
  const { who = '', topic, subject, from, until, before, limit } = query;
  const { entries, next } = await listAudit(sql, {
    limit,
    ...(who === '' ? {} : { concerns: await idsOf(sql, who) }),
    ...(topic === undefined ? {} : { actions: actionsOf(topic) }),
    ...(subject === undefined ? {} : { subject }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(before === undefined ? {} : { before }),
  });
  const ids = entries.flatMap((entry) => [entry.actor, entry.subject, ...Object.values(entry.details)]);
  const texts = ids.filter((id) => typeof id === 'string' && /^[a-z]{2}_[\w-]{22}$/.test(id));
  const names = await readRecordNames(sql, [...new Set(texts.map(String))]);
  return { kind: 'read', entries, names, next };
}

async function idsOf(sql: Sql, who: string): Promise<readonly string[]> {
  const found = await listAccountRows(sql, { search: who, after: null, limit: maxPeople });
  const ids = found.map(({ id }) => id);
  return who.toLowerCase() === 'operator' ? ['operator', ...ids] : ids;
}

function actionsOf(topic: HistoryTopic): readonly AuditAction[] {
  const kinds: readonly string[] = historyTopics[topic];
  return auditActions.filter((action) => kinds.includes(action.slice(0, action.indexOf('.'))));
}
