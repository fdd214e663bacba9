// One or two nodes of control on a real store, with accounts signed in and a collection, for tests of links.
// Accounts, sessions and devices are written as rows: how they come about is tested where they are made.

import { randomBytes } from 'node:crypto';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { makeAfterwards } from '../../../gateway/control/context/afterwards.ts';
import type { Actor, ControlContext } from '../../../gateway/control/context/control-context.ts';
import { claimLink } from '../../../gateway/control/links/claim-link.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import type { LinkView } from '../../../gateway/control/links/link-view.ts';
import type { Presentation } from '../../../gateway/control/links/present-link.ts';
import { makePasswordWork } from '../../../gateway/control/proof/password-work.ts';
import type { AccessAnswer } from '../../../gateway/core/decision/state/access.ts';
import { type IdKind, makeId } from '../../../gateway/core/model/node-id.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { noLedger } from '../no-ledger.ts';
import { type EngineName, makeClock, makeDatabase, openNode, type TestClock } from '../store/stores.ts';
import { memoryLogger, testConfig } from './control.ts';

type NewLink = Parameters<typeof createLink>[2];

type ClaimOutcome = Awaited<ReturnType<typeof claimLink>>;

export type AccountActor = Extract<Actor, { kind: 'account' }>;

export interface LinkRig {
  /** One per node. */
  readonly contexts: readonly ControlContext[];
  /** The first node's. */
  readonly context: ControlContext;
  readonly store: Store;
  readonly clock: TestClock;
  readonly owner: AccountActor;
  /** What the loggers of all nodes wrote. */
  readonly said: () => string;
  /** Changes what the configuration says from now on. */
  readonly configure: (changes: Partial<Config>) => void;
}

const summer = {
  name: 'summer',
  host: 'media.localhost',
  path: '/vod/summer/',
  owners: ['owner@example.org'],
  methods: null,
};

export const operator: Actor = { kind: 'operator' };

export async function makeLinkRig(engine: EngineName, nodes = 1): Promise<LinkRig> {
  const settings = await makeDatabase(engine);
  const clock = makeClock();
  const log = memoryLogger();
  let config = testConfig({
    portal: {
      publicUrl: 'http://portal.localhost:8080',
      host: 'portal.localhost',
      name: 'Media',
      contact: null,
      logoFile: null,
      hosts: [],
    },
    mail: { from: 'keys@example.org', transport: { kind: 'log', file: '/nonexistent/mail.log' } },
    collections: [summer],
  });
  const sealer = makeSealer(randomBytes(32));
  const contexts: ControlContext[] = [];
  for (let node = 0; node < nodes; node++) {
    const store = await openNode(settings, { clock });
    contexts.push({
      store,
      write: store.write,
      // Mails stay readable here, so that a test can look for what must not stand in them.
      sealing: {
        ...sealer,
        seal: (place, plain) => (place.table === 'outbox' ? String(plain) : sealer.seal(place, plain)),
      },
      config: () => config,
      clock: { monotonicMs, epochSeconds: () => clock.epochSeconds() },
      random: randomBytes,
      tokens: {
        mintSession: () => unused('mintSession'),
        mintPass: () => unused('mintPass'),
        verifySession: () => unused('verifySession'),
      },
      logger: log.logger,
      decisions: noLedger,
      passwords: makePasswordWork({ checksPerSecond: () => unused('checksPerSecond'), clock }),
      wakeOutbox: () => {},
      afterwards: makeAfterwards({ logger: log.logger, random: randomBytes }),
    });
  }
  const context = contexts[0] ?? unused('a node');
  const rig = { contexts, context, store: context.store, clock, said: log.said };
  return {
    ...rig,
    owner: await addAccount(rig, { email: 'owner@example.org' }),
    configure: (changes) => {
      config = { ...config, ...changes };
    },
  };
}

interface TestAccount {
  readonly email?: string;
  readonly isVerified?: boolean;
  readonly state?: 'active' | 'disabled' | 'deleted';
  readonly role?: 'user' | 'admin';
}

/** An account with a session on one device. */
export async function addAccount(
  rig: Pick<LinkRig, 'store' | 'clock'>,
  {
    email = `${randomBytes(6).toString('hex')}@example.org`,
    isVerified = true,
    state = 'active',
    role = 'user',
  }: TestAccount = {},
): Promise<AccountActor> {
  const accountId = newId('account');
  await rig.store.write(async ({ sql, now }) => {
    const account = { id: accountId, email, display_name: email.split('@')[0] ?? '', groups: '["film"]', role, state };
    await sql
      .insertInto('accounts')
      .values({ ...account, email_verified_at: isVerified ? now : null, password_hash: null, created_at: now })
      .execute();
  });
  return await addDevice(rig, { kind: 'account', accountId, sessionId: '', deviceId: '', role, email });
}

/** The same account on another device. */
export async function addDevice(rig: Pick<LinkRig, 'store'>, actor: AccountActor): Promise<AccountActor> {
  const [sessionId, deviceId] = [newId('session'), newId('device')];
  await rig.store.write(async ({ sql, now }) => {
    await sql
      .insertInto('devices')
      .values({
        id: deviceId,
        account_id: actor.accountId,
        browser_selector: newId('device'),
        browser_digest: '',
        name: 'Firefox on Linux',
        user_agent: '',
        created_at: now,
        last_seen_at: now,
        ended_at: null,
      })
      .execute();
    const session = { id: sessionId, account_id: actor.accountId, device_id: deviceId, created_at: now };
    await sql
      .insertInto('sessions')
      .values({ ...session, last_seen_at: now, expires_at: now + 86_400, ended_at: null })
      .execute();
  });
  return { ...actor, sessionId, deviceId };
}

export interface MadeLink {
  readonly link: LinkView;
  readonly url: string;
  readonly presentation: Presentation;
}

/** A link of the owner's to the collection; throws when it is refused. */
export async function makeLink(
  rig: LinkRig,
  fields: Partial<NewLink> = {},
  actor: Actor = rig.owner,
): Promise<MadeLink> {
  const made = await createLink(rig.context, actor, {
    collection: 'summer',
    label: 'Film night',
    requestId: null,
    ...fields,
  });
  if (made.kind !== 'created') throw new Error(`the link was not made: ${JSON.stringify(made)}`);
  return { link: made.link, url: made.url, presentation: presentationOf(made.url) };
}

/** What a visitor who opens the URL presents. */
export function presentationOf(text: string): Presentation {
  const url = new URL(text);
  const { hostname: host, pathname: path, searchParams } = url;
  return { host, path, key: searchParams.get('key') ?? '', token: searchParams.get('authtoken') ?? '' };
}

export function claim(rig: LinkRig, actor: AccountActor, made: MadeLink, node = 0): Promise<ClaimOutcome> {
  return claimLink(rig.contexts[node] ?? rig.context, actor, made.presentation, 'request-1');
}

/** What an edge is told when this session asks for a file of the collection. */
export async function ask(rig: LinkRig, actor: AccountActor, path = '/vod/summer/a.ts'): Promise<AccessAnswer> {
  const { accountId, sessionId, deviceId } = actor;
  const question = { account: accountId, session: sessionId, device: deviceId, host: summer.host, path };
  const answer = await answerAccess(rig.context, question);
  if (answer.kind === 'ended') throw new Error('the session is over');
  return answer;
}

/** Everything that the store holds, as one text: to look for what must not be in it, and to see that nothing changed. */
export async function dump(rig: Pick<LinkRig, 'store'>): Promise<string> {
  const tables = ['log_position', 'changes', 'accounts', 'sessions', 'devices', 'one_time_codes', 'throttles'] as const;
  const more = ['access_keys', 'links', 'members', 'outbox', 'audit'] as const;
  const all: Record<string, unknown> = {};
  for (const table of [...tables, ...more]) all[table] = await rig.store.sql.selectFrom(table).selectAll().execute();
  return JSON.stringify(all);
}

function newId(kind: IdKind): string {
  return makeId(kind, randomBytes(16));
}

function unused(what: string): never {
  throw new Error(`${what} is not for these tests`);
}
