// Everything has a ceiling: this file names the bound of each table, and of each endpoint that needs no session. A new table or
// endpoint has no line here and fails the test until its bound is named.

import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { pages } from '../../../gateway/api/pages.ts';
import { endpoints } from '../../../gateway/api/v1/endpoints.ts';
import type { Tables } from '../../../gateway/store/port/tables.ts';
import { openEmpty } from '../../support/store/stores.ts';

/** By whom rows come, how many they may be, and when they go. */
const tableBounds = {
  log_position: 'one row',
  log_marks: 'one an hour of running; pruned after what is kept the longest',
  changes:
    'one for each end of a session, device, link, member or account, all of which are bounded here; pruned by changeLife',
  store_marks: 'a fixed set of names',
  keys: 'made by administrators; retired ones stay, since their ids must not come again',
  accounts:
    'verified: by administrators, and by mails of registration and of codes (mails_per_hour); others: unverified_accounts, and one for an address that a key is offered to (per_sender)',
  sessions: 'liveSessionsKept and endedKept of an account (bound-sign-ins.ts); pruned after keepEndedSeconds',
  devices: 'liveDevicesKept and endedKept of an account (bound-sign-ins.ts); pruned after keepDevicesSeconds',
  one_time_codes:
    'codesKept of an account and purpose; one open code of an address (endMailboxCodes); pruned a day after their end',
  throttles: 'maxThrottles (throttle-room.ts), known places maxSourcesPerName of a name; pruned by kind',
  access_keys: 'one for each link',
  links: 'made by owners of collections, whom the configuration names, and by administrators',
  members: 'claims_allowed of each link, one row for an account and a link',
  outbox: 'mail-ceilings.ts, by who causes a mail; forgotten after delivery, given up after days',
  credentials: 'made by administrators and the operator; withdrawn ones stay, since shares and the log name them',
  credential_keys: 'made by administrators and the operator',
  shares: 'per_sender of each giver; rows stay for the log, addresses that never answered are erased',
  share_requests: 'maxOpenRequests of a share at a time; pruned after their end',
  representations: 'made by holders of keys in their sessions; pruned after their end',
  share_blocks: 'one for an address and a giver who shared with it',
  audit: 'for strangers: refusalsWrittenDown, and one for each mail; kept for keepAuditSeconds',
} as const satisfies Readonly<Record<keyof Tables, string>>;

const reads = 'reads alone';
const code = 'wrong codes are counted by source, network and in all (mailed-code); a right one is spent once';
const secrets = 'guesses are counted before they are looked at (throttle.ts); hashes wait in one bounded queue';
const requests =
  'countRequest by source and network, mayMail by mailbox, mail-ceilings.ts in all, afterwards.ts bounded';

const offered =
  'takes the secret of a message; five requests for a share have a place (openRequest), digits are mailed by key-codes-of-address';

/** Doors without a session: what one who knocks all day can cause. */
const openDoors: Readonly<Record<string, string>> = {
  'POST v1/sign-in': secrets,
  'POST v1/sign-in/code': code,
  'POST v1/sign-in/mail-code': `${requests}, and mayMailCode by mailbox`,
  'POST v1/sign-in/mail-code/complete': 'as POST code/check',
  'POST v1/register': requests,
  'POST v1/register/verify': code,
  'POST v1/password-reset': requests,
  'POST v1/password-reset/complete': code,
  'POST v1/shares/:share/request': offered,
  'POST v1/shares/:share/decline': offered,
  'POST v1/shares/:share/block-sender': offered,
  'POST v1/shares/accept':
    'takes a request of this browser; guesses are counted before they are looked at, digits have five tries',
  'POST v1/me/address/confirm': `${code}; ${secrets}`,
  'GET login': reads,
  'POST login': secrets,
  'POST code': `${requests}, and mayMailCode by mailbox`,
  'GET code': reads,
  'POST code/check': 'five tries of a code (takeTry), and wrong ones by source, network and in all (mailed-digits)',
  'GET enter': reads,
  'POST enter': code,
  'GET logout': reads,
  'POST logout': 'ends the session that asks',
  'GET handover': 'a wrong code changes nothing; a right one is spent once',
  'GET register': reads,
  'POST register': requests,
  'GET forgot': reads,
  'POST forgot': requests,
  'GET sent': reads,
  'GET verify': reads,
  'POST verify': code,
  'GET reset': reads,
  'POST reset': code,
  'GET invitation': reads,
  'POST invitation': code,
  'GET sign-in': reads,
  'POST sign-in': code,
  'GET confirm-address': reads,
  'POST confirm-address': `${code}; ${secrets}`,
  'GET open': reads,
  'POST open': 'guesses are counted by source, network and in all before they are looked at (elsewhere-code)',
  'GET shares/open': reads,
  'POST shares/open': offered,
  'GET shares/accept': reads,
  'POST shares/accept': 'as POST v1/shares/accept',
  'POST shares/accept/code': 'takes a request of this browser; then as POST shares/open',
  'GET key': reads,
  'POST key': 'a one-time URL has 256 random bits, and is spent once',
  'GET claim': 'reads, and records in files of bounded number and size (explain/decision-files.ts)',
};

test('every table of the store has a bound', async () => {
  const { store } = await openEmpty('sqlite');
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'schema_migrations'`.execute(
    store.sql,
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(tableBounds).toSorted());
});

test('every endpoint that needs no session has a bound', () => {
  const doors = [
    ...endpoints.filter(({ who }) => who === 'anyone').map(({ method, path }) => `${method} v1/${path}`),
    ...pages.filter(({ who }) => who === 'anyone').map(({ method, path }) => `${method} ${path}`),
  ];
  expect(doors.toSorted()).toEqual(Object.keys(openDoors).toSorted());
});
