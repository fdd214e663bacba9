// Measures what people do with shares in a store that is full of them: giving a key, asking and accepting, lists, look-ups, ending a share; then one
// share is cut that very many hang below. SQLite in a folder of its own, with real commits to the disk; the use cases run in this process.
// The check of a password is left out of the figures: it costs what it is meant to cost, in a queue of its own.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../gateway/config/compiled/config.ts';
import { answerAccess } from '../../gateway/control/access/answer-access.ts';
import { makeAfterwards } from '../../gateway/control/context/afterwards.ts';
import type { Actor, ControlContext } from '../../gateway/control/context/control-context.ts';
import type { PasswordWork } from '../../gateway/control/context/password-work.ts';
import { listMyKeys } from '../../gateway/control/keys/list-my-keys.ts';
import { noOrigin } from '../../gateway/control/keys/note-share.ts';
import { acceptShare } from '../../gateway/control/sharing/accept-share.ts';
import { endShare } from '../../gateway/control/sharing/end-share.ts';
import { giveShare } from '../../gateway/control/sharing/give-share.ts';
import { listShares } from '../../gateway/control/sharing/list-shares.ts';
import { requestShare } from '../../gateway/control/sharing/request-share.ts';
import { openStore } from '../../gateway/store/engine/open-store.ts';
import { makeSealer } from '../../gateway/store/seal/sealing.ts';
import { findHeldShare } from '../../gateway/store/sharing/share-chains.ts';
import { noteMailHandedOver } from '../../gateway/store/sharing/shares.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';
import { createLogger } from '../../gateway/telemetry/logger.ts';
import { noLedger } from '../../test/support/no-ledger.ts';
import { testConfig } from '../../test/support/rigs/control.ts';
import { emailOf, fillShares, host, idOf, type ShareSizes, trunk } from './fill-shares.ts';

interface Measured {
  readonly name: string;
  readonly callers: number;
  /** Sorted, in ms. */
  readonly times: readonly number[];
  readonly cpuMs: number;
}

/** What became of the share that many hang below. */
interface Cut {
  readonly ms: number;
  /** Changes of the log. */
  readonly changes: number;
  /** Of those below it: how many got in before, and after. */
  readonly before: number;
  readonly after: number;
}

interface SharesRun {
  readonly sizes: ShareSizes;
  /** Calls of each kind. */
  readonly runs: number;
  /** How many call at once. */
  readonly callers: readonly number[];
  readonly onMeasured?: (measured: Measured) => void;
  readonly onFilled?: (ms: number) => void;
}

type AccountActor = Extract<Actor, { kind: 'account' }>;

/** @throws Error  a call was not answered as it has to be */
export async function runShares(
  run: SharesRun,
): Promise<{ readonly measured: readonly Measured[]; readonly cut: Cut }> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-shares-'));
  const file = join(folder, 'latchkey.db');
  const context = await makeContext(file);
  try {
    const started = monotonicMs();
    await fillShares(context, run.sizes, epochSeconds());
    run.onFilled?.(monotonicMs() - started);
    // otherwise the measured calls would wait for the checkpoint of what the filling wrote
    const database = new DatabaseSync(file);
    database.exec('pragma wal_checkpoint(truncate); analyze');
    database.close();
    const measured: Measured[] = [];
    for (const { name, call } of callsOf(context, run)) {
      for (const [place, callers] of run.callers.entries()) {
        const one = await measure(name, call, { from: place * run.runs, runs: run.runs, callers });
        measured.push(one);
        run.onMeasured?.(one);
      }
    }
    return { measured, cut: await cutTrunk(context, run.sizes) };
  } finally {
    await context.store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export function quantile(times: readonly number[], part: number): number {
  return times[Math.min(times.length - 1, Math.ceil(times.length * part) - 1)] ?? 0;
}

interface Call {
  readonly name: string;
  /** Throws when the answer is not the right one. */
  readonly call: (index: number) => Promise<void>;
}

function callsOf(context: ControlContext, { sizes }: SharesRun): readonly Call[] {
  const { accounts, owners, shares } = sizes;
  const owner = (index: number): AccountActor => actorOf(accounts + (index % owners));
  /** What the calls before made, by index. */
  const given = new Map<number, { readonly id: string; readonly token: string }>();
  const asked = new Map<number, string>();
  const give = async (index: number, email: string): Promise<string> => {
    const input = { keyId: idOf('dk', index % owners), email, origin: noOrigin };
    const outcome = await giveShare(context, owner(index), input);
    return outcome.kind === 'given' ? outcome.share.id : fail('give', outcome.kind);
  };
  const accept = async (index: number): Promise<void> => {
    const request = asked.get(index) ?? fail('accept', 'nobody asked');
    const proof = { kind: 'password', password: 'unread' } as const;
    const clientAddress = `2001:db8:${(index % 65_536).toString(16)}::1`;
    const browser = { deviceCookie: null, userAgent: '', clientAddress, requestId: null };
    const outcome = await acceptShare(context, { ...browser, request, proof });
    if (outcome.kind !== 'accepted') fail('accept', JSON.stringify(outcome));
  };
  return [
    {
      name: 'look-up, a holder',
      call: (index) => expectAccess(context, holderOf(sizes, index), true),
    },
    {
      name: 'look-up, nobody',
      call: (index) => expectAccess(context, { account: index % accounts, path: '/none/' }, false),
    },
    {
      name: 'give, unknown address',
      call: async (index) => {
        await give(index, `stranger${index}@example.org`);
      },
    },
    {
      name: 'give, known address',
      call: async (index) => {
        const to = emailOf((index * 31) % accounts);
        const isFree = await knowsNothingOf(context, { owner: index % owners, accountId: owner(index).accountId }, to);
        // else the address of somebody who has got nothing: another owner
        const round = Math.floor(index / owners) + 1;
        const id = await give(index, isFree ? to : emailOf(accounts + ((index + round) % owners)));
        given.set(index, { id, token: '' });
        await context.store.write(({ sql, now }) => noteMailHandedOver(sql, id, now));
      },
    },
    {
      name: 'ask for the key',
      call: async (index) => {
        const { id } = given.get(index) ?? fail('ask', 'nothing was given');
        const row = await context.store.sql
          .selectFrom('shares')
          .select('email')
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        const number = Number(/\d+/.exec(row.email)?.[0]);
        const reference = { shareId: id, secret: null, actor: actorOf(number) };
        const outcome = await requestShare(context, { ...reference, held: [], wants: 'any', origin: noOrigin });
        if (outcome.kind !== 'requested') fail('ask', outcome.kind);
        else asked.set(index, outcome.request);
      },
    },
    { name: 'accept', call: accept },
    {
      name: 'list of given',
      call: async (index) => {
        const page = await listShares(context, owner(index), { direction: 'given' });
        if (page.shares.length === 0) fail('list', 'nothing');
      },
    },
    {
      name: 'list of given, a search',
      call: async (index) => {
        await listShares(context, owner(index), { direction: 'given', state: 'accepted', search: 'p1' });
      },
    },
    {
      name: 'list of got',
      call: async (index) => {
        const page = await listShares(context, actorOf(holderOf(sizes, index).account), { direction: 'got' });
        if (page.shares.length === 0) fail('list', 'nothing');
      },
    },
    {
      name: 'my keys',
      call: async (index) => {
        await listMyKeys(context, actorOf(holderOf(sizes, index).account));
      },
    },
    {
      name: 'page of all shares',
      call: async (index) => {
        const after = `${epochSeconds() - ((index * 7919) % Math.min(shares, 1_000_000))}.${idOf('sh', 0)}`;
        await listShares(context, { kind: 'operator' }, { direction: 'given', after });
      },
    },
    {
      name: 'end a share',
      call: async (index) => {
        const shareId = given.get(index)?.id ?? fail('end', 'nothing was given');
        const outcome = await endShare(context, owner(index), { shareId, event: 'revoke', origin: noOrigin });
        if (outcome.kind !== 'done' || !outcome.moved) fail('end', outcome.kind);
      },
    },
  ];
}

/** Whether an owner has given nothing to an address. */
async function knowsNothingOf(
  context: ControlContext,
  { owner, accountId }: { readonly owner: number; readonly accountId: string },
  email: string,
): Promise<boolean> {
  const row = await context.store.sql
    .selectFrom('shares')
    .select('id')
    .where('email', '=', email)
    .where('key_id', '=', idOf('dk', owner))
    .where('giver_id', '=', accountId)
    .executeTakeFirst();
  return row === undefined;
}

/** Somebody who holds a share, and a path that it opens. */
function holderOf({ accounts, owners, shares }: ShareSizes, index: number) {
  const share = Math.floor(((index * 7) % shares) / 10) * 10;
  const key = share % owners;
  return { account: (share * 7919 + Math.floor(share / owners)) % accounts, path: `/c${key % 100}/film.mp4` };
}

async function expectAccess(
  context: ControlContext,
  { account, path }: { readonly account: number; readonly path: string },
  opens: boolean,
): Promise<void> {
  if ((await hasAccess(context, account, path)) !== opens) fail('look-up', `account ${account}, ${path}`);
}

async function hasAccess(context: ControlContext, account: number, path: string): Promise<boolean> {
  const who = { account: idOf('ac', account), session: idOf('se', account), device: idOf('dv', account) };
  return (await answerAccess(context, { ...who, host, path })).kind === 'granted';
}

/** Cuts the share that many hang below, and asks for everybody of them before and after. */
async function cutTrunk(context: ControlContext, sizes: ShareSizes): Promise<Cut> {
  const before = await countHolders(context, sizes);
  const { seq } = await context.store.readPosition();
  const started = monotonicMs();
  const event = { shareId: idOf('sh', trunk(sizes)), event: 'revoke', origin: noOrigin } as const;
  const outcome = await endShare(context, actorOf(sizes.accounts), event);
  const ms = monotonicMs() - started;
  if (outcome.kind !== 'done') fail('cut', outcome.kind);
  const changes = (await context.store.readPosition()).seq - seq;
  return { ms, changes, before, after: await countHolders(context, sizes) };
}

/** Of the people below the trunk, those whose share holds, by the rule that look-ups ask. */
async function countHolders(context: ControlContext, { below, shares }: ShareSizes): Promise<number> {
  let holders = 0;
  for (let index = 0; index < below; index++) {
    if ((await findHeldShare(context.store.sql, idOf('sh', shares + 1 + index), epochSeconds())) !== null) holders++;
  }
  return holders;
}

async function measure(
  name: string,
  call: (index: number) => Promise<void>,
  { from, runs, callers }: { readonly from: number; readonly runs: number; readonly callers: number },
): Promise<Measured> {
  const times: number[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + runs) {
      const index = next++;
      const started = monotonicMs();
      await call(index);
      times.push(monotonicMs() - started);
    }
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: callers }, work));
  const { user, system } = process.cpuUsage(before);
  return { name, callers, times: times.sort((one, other) => one - other), cpuMs: (user + system) / 1000 / runs };
}

function actorOf(index: number): AccountActor {
  const [accountId, sessionId, deviceId] = [idOf('ac', index), idOf('se', index), idOf('dv', index)];
  return { kind: 'account', accountId, sessionId, deviceId, role: 'user', email: emailOf(index) };
}

async function makeContext(file: string): Promise<ControlContext> {
  const logger = createLogger({ role: 'control', level: 'error' });
  const settings = { kind: 'sqlite', file } as const;
  const store = await openStore({ settings, clock: { epochSeconds }, logger, patient: true });
  if ('kind' in store) throw new Error(store.problem);
  const collections = Array.from({ length: 100 }, (_, index) => ({
    ...{ name: `c${index}`, host, path: `/c${index}/`, owners: [], methods: null },
  }));
  const portal = { publicUrl: 'http://portal.localhost', host: 'portal.localhost', name: 'Media', contact: null };
  const wide = { count: 1_000_000, seconds: 3600 };
  const base = testConfig();
  const config: Config = {
    ...base,
    collections,
    portal: { ...portal, logoFile: null, hosts: [] },
    mail: { from: 'keys@example.org', transport: { kind: 'log', file: '/nonexistent/mail.log' } },
    accounts: { ...base.accounts, limits: { ...base.accounts.limits, mailsPerHour: 1_000_000 } },
    sharing: { ...base.sharing, reshareDepth: 1, perSender: wide, perAddress: wide },
  };
  return {
    store,
    write: store.write,
    sealing: makeSealer(randomBytes(32)),
    config: () => config,
    clock: { monotonicMs, epochSeconds },
    random: randomBytes,
    tokens: { mintSession: () => 'unread', mintPass: () => null, verifySession: () => null },
    logger,
    decisions: noLedger,
    passwords: freePasswords,
    wakeOutbox: () => {},
    afterwards: makeAfterwards({ logger, random: randomBytes }),
  };
}

/** Every password is right and costs nothing. */
const freePasswords: PasswordWork = {
  queue: {
    waiting: 0,
    run: async (_source, check) => ({ kind: 'done', value: await check() }),
    isOpenToStrangers: () => true,
    close: () => {},
  },
  hash: async () => ({ kind: 'done', value: 'unread' }),
  check: async (_source, _stored, _password, admit) => {
    const refused = await admit();
    return {
      kind: 'done',
      value: refused === null ? { kind: 'right', rehashed: null } : { kind: 'not-admitted', refused },
    };
  },
  computations: () => 0,
};

function fail(what: string, how: string): never {
  throw new Error(`${what}: ${how}`);
}
