// The audit list: which actor did which action to which subject. An entry is written in the unit that does the action, so neither
// exists without the other. Entries are appended and never changed. Details are shown to people: they may hold no secret.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { AuditTable } from '../port/tables.ts';

/** Details of an entry: flat, so that any page and any log can show them; in snake_case, as they stand in JSON. */
export type AuditDetails = Readonly<Record<Lowercase<string>, string | number | boolean | null>>;

export interface NewAuditEntry {
  /** Account id, `operator` for the command line, `system`. */
  readonly actor: string;
  readonly action: AuditTable['action'];
  /** Id of the node that the action was done to. */
  readonly subject: string;
  readonly details?: AuditDetails;
  readonly requestId?: string | null;
}

export interface AuditEntry {
  /** Order of writing; `before` of the next page. */
  readonly position: number;
  readonly at: EpochSeconds;
  readonly actor: string;
  readonly action: AuditTable['action'];
  readonly subject: string;
  readonly details: AuditDetails;
  readonly requestId: string | null;
}

interface AuditQuery {
  readonly subject?: string;
  readonly actor?: string;
  /** Only entries that one of these accounts caused, or that were done to one of them. */
  readonly concerns?: readonly string[];
  /** Only these actions. */
  readonly actions?: readonly string[];
  /** Only entries from this moment on. */
  readonly from?: EpochSeconds;
  /** Only entries before this moment. */
  readonly until?: EpochSeconds;
  /** 1 to 500. Default 50. */
  readonly limit?: number;
}

export async function appendAudit(unit: Unit, entry: NewAuditEntry): Promise<void> {
  await insertEntry(unit.sql, {
    at: unit.now,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    details: JSON.stringify(entry.details ?? {}),
    requestId: entry.requestId ?? null,
  });
}

interface EntryValues {
  readonly at: EpochSeconds;
  readonly actor: string;
  readonly action: AuditTable['action'];
  readonly subject: string;
  readonly details: string;
  readonly requestId: string | null;
}

const insertEntry = fixedStatement((sql, at: Places<EntryValues>) =>
  sql.insertInto('audit').values({
    at: at.value('at'),
    actor: at.value('actor'),
    action: at.value('action'),
    subject: at.value('subject'),
    details: at.value('details'),
    request_id: at.value('requestId'),
  }),
);

/** A page of entries, newest first. `next` is the `before` of the next page; null when there is none. */
export async function listAudit(
  sql: Sql,
  query: AuditQuery & {
    /** Only entries written before this position. */
    readonly before?: number;
  } = {},
): Promise<AuditPage> {
  const limit = limitOf(query);
  let select = selectEntries(sql, query)
    .orderBy('position', 'desc')
    .limit(limit + 1);
  if (query.before !== undefined) select = select.where('position', '<', query.before);
  const rows = await select.execute();
  const entries = rows.slice(0, limit).map(entryOf);
  return { entries, next: rows.length > limit ? (entries.at(-1)?.position ?? null) : null };
}

/** Most entries that one page looks at. Moments have no index, so a page of few entries would read the whole list otherwise. */
const maxLookedAt = 10_000;

/**
 * A page of entries in the order of writing, behind a position. `next` is the `after` of the next page; null when there is none. A page
 * ends after as many entries as it looks at, so it may be empty and have a next one.
 */
export async function listAuditForward(
  sql: Sql,
  query: AuditQuery & { readonly after: number },
  lookedAt: number = maxLookedAt,
): Promise<AuditPage> {
  const limit = limitOf(query);
  const { last, count } = await sql
    .selectFrom((part) =>
      part
        .selectFrom('audit')
        .select('position')
        .where('position', '>', query.after)
        .orderBy('position')
        .limit(lookedAt)
        .as('part'),
    )
    .select(({ fn }) => [fn.max('position').as('last'), fn.countAll().as('count')])
    .executeTakeFirstOrThrow();
  if (Number(count) === 0) return { entries: [], next: null };
  const rows = await selectEntries(sql, query)
    .where('position', '>', query.after)
    .where('position', '<=', last)
    .orderBy('position')
    .limit(limit + 1)
    .execute();
  const entries = rows.slice(0, limit).map(entryOf);
  if (rows.length > limit) return { entries, next: entries.at(-1)?.position ?? null };
  return { entries, next: Number(count) < lookedAt ? null : last };
}

/** The place of the newest entry; 0 when there is none. */
export async function lastAuditPosition(sql: Sql): Promise<number> {
  const { last } = await sql
    .selectFrom('audit')
    .select(({ fn }) => fn.max('position').as('last'))
    .executeTakeFirstOrThrow();
  return Number(last ?? 0);
}

interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly next: number | null;
}

function limitOf({ limit = 50 }: AuditQuery): number {
  return Math.min(Math.max(limit, 1), 500);
}

function selectEntries(sql: Sql, { subject, actor, concerns, actions, from, until }: AuditQuery) {
  let select = sql.selectFrom('audit').selectAll();
  if (subject !== undefined) select = select.where('subject', '=', subject);
  if (actor !== undefined) select = select.where('actor', '=', actor);
  if (concerns !== undefined) {
    // an empty list of a statement is no SQL; no entry has the empty id
    const ids = ['', ...concerns];
    select = select.where((entry) => entry.or([entry('actor', 'in', ids), entry('subject', 'in', ids)]));
  }
  if (actions !== undefined) select = select.where('action', 'in', ['', ...actions]);
  if (from !== undefined) select = select.where('at', '>=', from);
  if (until !== undefined) select = select.where('at', '<', until);
  return select;
}

function entryOf(row: Selectable<AuditTable>): AuditEntry {
  return {
    position: row.position,
    at: row.at,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    details: JSON.parse(row.details) as AuditDetails,
    requestId: row.request_id,
  };
}

/** The records of keys that people share. */
type KeyRecord = 'credential' | 'credential-key' | 'share' | 'representation';

/** What people call the record behind an id of the list. */
export interface RecordName {
  /**
   * `account` is a person, whose name or address this is; `link` has a label, a `credential` and its keys have names, and so has the key of a
   * `share` or `representation`; of the others it is the person or the collection.
   */
  readonly kind: 'account' | 'link' | 'member' | 'device' | 'session' | 'access-key' | KeyRecord;
  readonly name: string;
  /**
   * Label of the link of a member, name of a device, who has a credential, name of the credential of a key, the address that a share was sent
   * to; null for the others, and where it is gone.
   */
  readonly detail: string | null;
  /** The link of a member. */
  readonly linkId: string | null;
}

/** Names of records by their ids; a record that is gone has none. @param ids  of any kind, at most some hundreds */
export async function readRecordNames(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, RecordName>> {
  const wanted = ['', ...ids];
  const names = new Map<string, RecordName>();
  const accounts = await sql
    .selectFrom('accounts')
    .select(['id', 'display_name', 'email'])
    .where('id', 'in', wanted)
    .where('state', '<>', 'deleted')
    .execute();
  for (const { id, display_name, email } of accounts) {
    names.set(id, { kind: 'account', name: display_name || email, detail: null, linkId: null });
  }
  const links = await sql.selectFrom('links').select(['id', 'label', 'path']).where('id', 'in', wanted).execute();
  for (const { id, label, path } of links) {
    names.set(id, { kind: 'link', name: label || path, detail: null, linkId: id });
  }
  const members = await sql
    .selectFrom('members')
    .innerJoin('accounts', 'accounts.id', 'members.account_id')
    .innerJoin('links', 'links.id', 'members.link_id')
    .select(['members.id', 'members.link_id', 'accounts.display_name', 'accounts.email', 'links.label', 'links.path'])
    .where('members.id', 'in', wanted)
    .execute();
  for (const { id, link_id, display_name, email, label, path } of members) {
    names.set(id, { kind: 'member', name: display_name || email, detail: label || path, linkId: link_id });
  }
  const devices = await sql
    .selectFrom('devices')
    .innerJoin('accounts', 'accounts.id', 'devices.account_id')
    .select(['devices.id', 'devices.name', 'accounts.display_name', 'accounts.email'])
    .where('devices.id', 'in', wanted)
    .execute();
  for (const { id, name, display_name, email } of devices) {
    names.set(id, { kind: 'device', name: display_name || email, detail: name, linkId: null });
  }
  const sessions = await sql
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .select(['sessions.id', 'accounts.display_name', 'accounts.email'])
    .where('sessions.id', 'in', wanted)
    .execute();
  for (const { id, display_name, email } of sessions) {
    names.set(id, { kind: 'session', name: display_name || email, detail: null, linkId: null });
  }
  const keys = await sql.selectFrom('access_keys').select(['id', 'collection']).where('id', 'in', wanted).execute();
  for (const { id, collection } of keys) {
    names.set(id, { kind: 'access-key', name: collection, detail: null, linkId: null });
  }
  for (const [id, name] of await readKeyNames(sql, wanted)) names.set(id, name);
  return names;
}

/** Names of the records of keys that people share, see `readRecordNames`. @param wanted  at least one id */
async function readKeyNames(sql: Sql, wanted: readonly string[]): Promise<ReadonlyMap<string, RecordName>> {
  const names = new Map<string, RecordName>();
  const put = (kind: KeyRecord, rows: readonly { id: string; name: string; detail: string | null }[]): void => {
    for (const { id, name, detail } of rows) names.set(id, { kind, name, detail: detail || null, linkId: null });
  };
  const credentials = sql
    .selectFrom('credentials')
    .leftJoin('accounts', 'accounts.id', 'credentials.account_id')
    .select(['credentials.id', 'credentials.name', 'accounts.display_name', 'accounts.email'])
    .where('credentials.id', 'in', wanted);
  const named = await credentials.execute();
  put(
    'credential',
    named.map(({ id, name, display_name, email }) => ({ id, name, detail: display_name || email })),
  );
  const keys = sql
    .selectFrom('credential_keys as k')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .select(['k.id as id', 'k.name as name', 'c.name as detail'])
    .where('k.id', 'in', wanted);
  put('credential-key', await keys.execute());
  const shares = sql
    .selectFrom('shares as s')
    .innerJoin('credential_keys as k', 'k.id', 's.key_id')
    .select(['s.id as id', 'k.name as name', 's.email as detail'])
    .where('s.id', 'in', wanted);
  put('share', await shares.execute());
  const carried = await sql
    .selectFrom('representations as r')
    .innerJoin('credential_keys as k', 'k.id', 'r.key_id')
    .select(['r.id as id', 'k.name as name'])
    .where('r.id', 'in', wanted)
    .execute();
  put(
    'representation',
    carried.map((row) => ({ ...row, detail: null })),
  );
  return names;
}

/** How many of the newest entries are searched for a request's id. */
const maxEntriesLookedAt = 200_000;

/** The entries of one request in the order of writing: at most 32, from the newest 200,000 entries of the list. */
export async function listAuditOfRequest(
  sql: Sql,
  requestId: string,
): Promise<Pick<AuditTable, 'at' | 'actor' | 'action' | 'subject'>[]> {
  return await sql
    .selectFrom('audit')
    .select(['at', 'actor', 'action', 'subject'])
    // request ids are known for a day, and the list covers more than a year: only its end is searched
    .where('position', '>', (nested) =>
      nested.selectFrom('audit').select(({ fn, eb }) => eb(fn.max('position'), '-', maxEntriesLookedAt).as('from')),
    )
    .where('request_id', '=', requestId)
    .orderBy('position')
    .limit(32)
    .execute();
}

/**
 * Promotions of keys, newest first, at most 1000. `details` is the entry's JSON and names the key that was demoted.
 *
 * @param keyIds  the keys that may have been promoted: entries are found by their subjects, so the list is not read whole
 */
export async function listKeyPromotions(
  sql: Sql,
  keyIds: readonly string[],
): Promise<Pick<AuditTable, 'at' | 'details'>[]> {
  return await sql
    .selectFrom('audit')
    .select(['at', 'details'])
    .where('subject', 'in', ['', ...keyIds])
    .where('action', '=', 'key.promoted')
    .orderBy('position', 'desc')
    .limit(1000)
    .execute();
}

/**
 * Drops entries older than a moment, oldest first; reads at most `limit` entries.
 *
 * @returns how many; `limit` of them means: there may be more
 */
export async function pruneAudit(unit: Unit, before: EpochSeconds, limit = 10_000): Promise<number> {
  const old = await unit.sql
    .deleteFrom('audit')
    .where('position', 'in', (nested) =>
      nested
        .selectFrom((oldest) =>
          oldest.selectFrom('audit').select(['position', 'at']).orderBy('position').limit(limit).as('oldest'),
        )
        .select('position')
        .where('at', '<', before),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}
