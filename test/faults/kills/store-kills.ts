// Kills control, edges, supervisors and PostgreSQL at random under clients that claim and revoke, and checks after each restart
// that nothing acknowledged was lost, counted twice or let go. The same seed kills the same victims in the same order; the moments
// are the machine's. Runs in rounds on fresh stores, so that checks stay short; all of a round's facts are checked after each kill.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stalePath } from '../../support/rigs/node-config.ts';
import { NodeRig } from '../../support/rigs/node-rig.ts';
import {
  createDatabase,
  dropDatabase,
  killPostgres,
  type PostgresServer,
  removePostgres,
  restartPostgres,
  startPostgres,
} from '../../support/store/postgres.ts';
import { checkDoors, checkRows } from './kill-checks.ts';
import { KillClients, type Random } from './kill-clients.ts';
import { KillJournal } from './kill-journal.ts';

interface KillOptions {
  readonly count: number;
  readonly engine: 'sqlite' | 'postgres';
  readonly seed: number;
  /** Over PostgreSQL. Default 2. */
  readonly nodes?: number;
  /** Of each node. Default 2. */
  readonly edges?: number;
  /** Data folder to start PostgreSQL from, when there is one. */
  readonly template?: string;
  readonly onProgress?: (report: KillReport) => void;
  /** Asked after each kill: whether to stop early. */
  readonly isOver?: () => boolean;
}

export interface KillReport {
  readonly kills: Record<Victim, number>;
  /** Answers that were given and journalled. */
  acknowledged: number;
  /** Questions that died with whoever was asked. */
  unanswered: number;
  /** Facts that were looked at, each time they were. */
  checked: number;
  readonly violations: string[];
}

const victims = ['control', 'edge', 'supervisor', 'postgres'] as const;
type Victim = (typeof victims)[number];

/**
 * Ten kills, dealt in random order before there are ten more: every victim is among them at least twice. A supervisor takes
 * everything else along; that others die between two of its deaths only a few times also keeps the restarts quick.
 */
const deckOf: Readonly<Record<KillOptions['engine'], Readonly<Record<Victim, number>>>> = {
  sqlite: { control: 4, edge: 4, supervisor: 2, postgres: 0 },
  postgres: { control: 3, edge: 3, supervisor: 2, postgres: 2 },
};
const killsPerRound = 20;
const people = 8;
/** Whoever serves has heard of control lately. */
const staleness = '2s';
/** Only what never comes takes so long, whatever else the machine does. */
const recoveryMs = 300_000;
/** Answers between two kills, and how long to wait for them. */
const fewestAnswers = 3;
const mostAnswers = 15;
const patienceMs = 2000;

export function killsIn({ kills }: Pick<KillReport, 'kills'>): number {
  return Object.values(kills).reduce((sum, count) => sum + count, 0);
}

/** Stops at the first round with a violation: what comes after it would say the same again. */
export async function runKills(options: KillOptions): Promise<KillReport> {
  const report: KillReport = {
    kills: { control: 0, edge: 0, supervisor: 0, postgres: 0 },
    acknowledged: 0,
    unanswered: 0,
    checked: 0,
    violations: [],
  };
  // two sources: how often the clients ask theirs depends on the machine
  const chance: Chance = { kills: seeded(options.seed), clients: seeded(options.seed + 1) };
  const deal = dealer(deckOf[options.engine], chance.kills);
  const isOver = (): boolean => report.violations.length > 0 || options.isOver?.() === true;
  const { template } = options;
  const database =
    options.engine === 'postgres'
      ? new Database(await startPostgres({ fsync: 'on', ...(template === undefined ? {} : { template }) }))
      : null;
  try {
    while (killsIn(report) < options.count && !isOver()) {
      await runRound(Math.min(killsPerRound, options.count - killsIn(report)), options, database, chance, deal, report);
    }
  } finally {
    if (database !== null) await removePostgres(database.server);
  }
  return report;
}

interface Chance {
  readonly kills: Random;
  readonly clients: Random;
}

/** A PostgreSQL that changes its process. */
class Database {
  server: PostgresServer;
  #rounds = 0;

  constructor(server: PostgresServer) {
    this.server = server;
  }

  async makeStore(): Promise<string> {
    // thousands of kills must not fill a disk
    if (this.#rounds > 0) await dropDatabase(this.server, `round_${this.#rounds}`);
    this.#rounds += 1;
    return createDatabase(this.server, `round_${this.#rounds}`);
  }
}

async function runRound(
  count: number,
  options: KillOptions,
  database: Database | null,
  chance: Chance,
  deal: () => Victim,
  report: KillReport,
): Promise<void> {
  const store = database === null ? 'sqlite' : await database.makeStore();
  const nodes = database === null ? 1 : (options.nodes ?? 2);
  const outside = mkdtempSync(join(tmpdir(), 'lk-journal-'));
  const journal = new KillJournal(join(outside, 'journal'));
  const rig = await NodeRig.start({
    stores: Array.from({ length: nodes }, () => store),
    staleness: Array.from({ length: nodes }, () => staleness),
    people,
    edges: options.edges ?? 2,
  });
  const clients = new KillClients(rig, journal, chance.clients);
  try {
    await Promise.all([rig.owner, ...rig.people].map((person) => rig.signIn(person)));
    const before = { acknowledged: report.acknowledged, unanswered: report.unanswered };
    for (let kill = 0; kill < count && report.violations.length === 0 && options.isOver?.() !== true; kill++) {
      clients.run();
      await waitForAnswers(journal, journal.acknowledged + pick(chance.kills, fewestAnswers, mostAnswers));
      const victim = deal();
      await killOne(victim, rig, database, chance.kills);
      report.kills[victim] += 1;
      // the clients go on while what died comes back
      await waitUntilServing(rig);
      await clients.pause();
      report.violations.push(
        ...clients.violations.splice(0),
        ...(await checkRows(rig, journal)),
        ...(await checkDoors(rig, journal, clients)),
      );
      report.checked += journal.acknowledged;
      report.acknowledged = before.acknowledged + journal.acknowledged;
      report.unanswered = before.unanswered + clients.unanswered;
      if (report.violations.length > 0) report.violations.push(`after kill ${kill + 1} of a round, of ${victim}`);
      options.onProgress?.(report);
    }
  } finally {
    // what a failure left running must not write any more
    await clients.pause();
    await rig.close();
    journal.close();
    rmSync(outside, { recursive: true, force: true });
  }
}

async function killOne(victim: Victim, rig: NodeRig, database: Database | null, random: Random): Promise<void> {
  const { process: node } = rig.node(pick(random, 0, rig.nodes.length - 1));
  switch (victim) {
    case 'control':
    case 'edge': {
      const which = pick(random, 0, 1);
      // one that control had ended is about to be started again
      while (!node.signal(victim, 'SIGKILL', which)) await pause(5);
      return;
    }
    case 'supervisor':
      await node.killSupervisor();
      await node.start();
      return;
    case 'postgres':
      if (database === null) return;
      await killPostgres(database.server);
      database.server = await restartPostgres(database.server, { fsync: 'on' });
      return;
    default:
      victim satisfies never;
  }
}

async function waitForAnswers(journal: KillJournal, goal: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (journal.acknowledged < goal && performance.now() < deadline) await pause(2);
}

/** Every node lets a token in, so its index is loaded and fresh, and answers at `v1`, so its store can be read. */
async function waitUntilServing(rig: NodeRig): Promise<void> {
  const deadline = performance.now() + recoveryMs;
  const token = rig.token(stalePath);
  for (const node of rig.nodes.keys()) {
    for (;;) {
      const answers = await Promise.all([
        rig.browser(node).fetch(`${rig.mediaOrigin}${stalePath}a.ts?token=${token}`),
        rig.order('links?limit=1', { node, method: 'GET' }),
      ]).catch(() => []);
      if (answers.length > 0 && answers.every(({ status }) => status === 200)) break;
      if (performance.now() > deadline) {
        const seen = answers.map(({ status }) => status).join(', ') || 'nothing';
        throw new Error(`node ${node} did not come back: ${seen}\n${rig.node(node).process.said()}`);
      }
      await pause(20);
    }
  }
}

/** Deals a deck of victims in random order, and then another one. */
function dealer(deck: Readonly<Record<Victim, number>>, random: Random): () => Victim {
  let left: Victim[] = [];
  return () => {
    if (left.length === 0) left = victims.flatMap((victim) => Array.from({ length: deck[victim] }, () => victim));
    const [victim] = left.splice(pick(random, 0, left.length - 1), 1);
    if (victim === undefined) throw new Error('an empty deck');
    return victim;
  };
}

function pick(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** xorshift32. */
function seeded(seed: number): Random {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** A line on all of it. */
export function describeKills(engine: string, report: KillReport): string {
  const { kills, acknowledged, unanswered, checked, violations } = report;
  const parts = victims.map((victim) => `${victim} ${kills[victim]}`).join(', ');
  return (
    `${engine}: ${killsIn(report)} kills (${parts}); ${acknowledged} answers acknowledged, ${checked} times checked, ` +
    `${unanswered} unanswered; ${violations.length} violations`
  );
}
