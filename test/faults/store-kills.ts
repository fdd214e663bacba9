// Kills control, edges, supervisors and PostgreSQL at random under clients that claim and revoke, and checks after each restart
// that nothing acknowledged was lost, counted twice or let go. The same seed makes the same choices; moments are the machine's.
// Runs in rounds on fresh stores, so that sessions and checks stay short; all of a round's facts are checked after each kill.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stalePath } from '../support/node-config.ts';
import { NodeRig } from '../support/node-rig.ts';
import {
  createDatabase,
  killPostgres,
  type PostgresServer,
  removePostgres,
  restartPostgres,
  startPostgres,
} from '../support/postgres.ts';
import { checkDoors, checkRows } from './kill-checks.ts';
import { KillClients, type Random } from './kill-clients.ts';
import { KillJournal } from './kill-journal.ts';

export interface KillOptions {
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
export type Victim = (typeof victims)[number];

/** How often each is chosen; a supervisor takes everything else along, and seconds to come back. */
const lots: readonly Victim[] = [
  'control',
  'control',
  'control',
  'edge',
  'edge',
  'edge',
  'supervisor',
  'postgres',
  'postgres',
];
const killsPerRound = 40;
const people = 12;
const recoveryMs = 60_000;
/** Answers between two kills, and how long to wait for them. */
const fewestAnswers = 3;
const mostAnswers = 25;
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
  const random = seeded(options.seed);
  const isOver = (): boolean => report.violations.length > 0 || options.isOver?.() === true;
  const { template } = options;
  const database =
    options.engine === 'postgres'
      ? new Database(await startPostgres({ fsync: 'on', ...(template === undefined ? {} : { template }) }))
      : null;
  try {
    while (killsIn(report) < options.count && !isOver()) {
      await runRound(Math.min(killsPerRound, options.count - killsIn(report)), options, database, random, report);
    }
  } finally {
    if (database !== null) await removePostgres(database.server);
  }
  return report;
}

/** A PostgreSQL that changes its process. */
class Database {
  server: PostgresServer;
  #rounds = 0;

  constructor(server: PostgresServer) {
    this.server = server;
  }

  makeStore(): Promise<string> {
    this.#rounds += 1;
    return createDatabase(this.server, `round_${this.#rounds}`);
  }
}

async function runRound(
  count: number,
  options: KillOptions,
  database: Database | null,
  random: Random,
  report: KillReport,
): Promise<void> {
  const store = database === null ? 'sqlite' : await database.makeStore();
  const nodes = database === null ? 1 : (options.nodes ?? 2);
  const outside = mkdtempSync(join(tmpdir(), 'lk-journal-'));
  const journal = new KillJournal(join(outside, 'journal'));
  const rig = await NodeRig.start({
    stores: Array.from({ length: nodes }, () => store),
    people,
    edges: options.edges ?? 2,
  });
  const clients = new KillClients(rig, journal, random);
  try {
    await Promise.all([rig.owner, ...rig.people].map((person) => rig.signIn(person)));
    const before = { acknowledged: report.acknowledged, unanswered: report.unanswered };
    for (let kill = 0; kill < count && report.violations.length === 0 && options.isOver?.() !== true; kill++) {
      clients.run();
      await waitForAnswers(journal, journal.acknowledged + pick(random, fewestAnswers, mostAnswers));
      const chosen = lots.filter((victim) => victim !== 'postgres' || database !== null);
      const victim = chosen[pick(random, 0, chosen.length - 1)] ?? 'control';
      await killOne(victim, rig, database, random);
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
    case 'edge':
      node.signal(victim, 'SIGKILL', pick(random, 0, 1));
      return;
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
