// `npm run bench:siege`: measures how much a flood of strangers slows down visitors who have a token. The floods are wrong passwords and
// ClientHellos from 64 networks; revocations are made meanwhile. The visitors' requests, at a fixed rate, are measured three times: alone,
// while the floods go to a sink, and while they go to the gateway. The floods' generators share the machine with the gateway, though at a
// lower priority. So the third figure is compared with the second, which contains the cost of sending the floods and of accepting and
// ending their connections; the difference is the gateway's.
// The output says how much was really sent. Only ratios of figures from one run are meaningful.
// Exit code 1 when an edge was lost, when a token passed after its revocation was answered, or when p99 in the siege is more than
// three times the one beside the sink.

import { type ChildProcess, fork } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintToken } from '../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../gateway/core/token/key-ring.ts';
import { askAdmin } from '../../test/support/clients/admin-client.ts';
import { epochSeconds, pause } from '../measure/clock.ts';
import { pace } from '../measure/load.ts';
import { stopAll } from '../measure/processes.ts';
import { percentile } from '../measure/statistics.ts';
import { separator } from '../workload/requests.ts';
import type { FloodJob, FloodResult } from './flood.ts';
import { askOnce, recordHello, startSiegeGateway } from './gateway.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    guesses: { type: 'string', default: '1000' },
    hellos: { type: 'string', default: '5000' },
    revocations: { type: 'string', default: '200' },
    rate: { type: 'string', default: '200' },
    fresh: { type: 'boolean', default: false },
    edges: { type: 'string', default: '2' },
    seed: { type: 'string' },
    entry: { type: 'string', default: join(import.meta.dirname, '..', '..', 'gateway', 'main.ts') },
  },
});
const numbers = [values.seconds, values.guesses, values.hellos, values.revocations, values.rate, values.edges].map(
  Number,
);
const [seconds = 0, guesses = 0, hellos = 0, revocations = 0, rate = 0, edges = 0] = numbers;
const seed = values.seed === undefined ? randomInt(1_000_000) : Number(values.seed);
if (!numbers.every((each) => each >= 0) || seconds < 1 || seconds > 600 || edges < 1 || !Number.isSafeInteger(seed)) {
  const options =
    '[--seconds 1-600] [--guesses N] [--hellos N] [--revocations N] [--rate N] [--edges N] [--seed N] [--fresh]';
  process.stderr.write(`usage: npm run bench:siege -- ${options} [--entry FILE]\n`);
  process.exit(2);
}

const free = { kind: 'free', why: 'gateway, floods and load share the machine' } as const;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-siege-'));
const secret = createHash('sha256').update(`siege ${seed}`).digest('hex');
const key = buildKeyRing([
  { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.from(secret) },
]).signer('content');
const children: ChildProcess[] = [];
/** Kind of the flood of ClientHellos, see `FloodJob`. */
const helloKind = values.fresh ? 'hellos' : 'replays';
const show = (text: string) => process.stdout.write(`${text}\n`);

function mint(jti: string): string {
  if (key === null) throw new Error('no key');
  const claims = { exp: epochSeconds() + 3600, iat: epochSeconds() - 1, paths: ['/*'], jti };
  return mintToken(claims, { key, type: 'outside' });
}

/** Forks a process of the siege. @param isLow  whether it runs at a lower priority @returns the first line of its output */
function run(file: string, argument: string, isLow: boolean): Promise<string> {
  const child = fork(join(import.meta.dirname, file), [argument], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  children.push(child);
  if (isLow && child.pid !== undefined) setPriority(child.pid, Math.min(getPriority() + 10, 19));
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

interface Floods {
  readonly guesses: FloodResult;
  readonly hellos: FloodResult;
}

/** Begins both floods. They are under way when this resolves, and go on for longer than the measurement. */
async function startFloods(
  guessPort: number,
  helloPort: number,
  hello: string,
): Promise<{ readonly ended: Promise<Floods> }> {
  const common = { seconds: seconds + 3, seed, hello };
  const jobs: readonly FloodJob[] = [
    { ...common, kind: 'guesses', port: guessPort, perSecond: guesses },
    { ...common, kind: helloKind, port: helloPort, perSecond: hellos },
  ];
  const results = Promise.all(jobs.map(async (job) => JSON.parse(await run('flood.ts', JSON.stringify(job), true))));
  await pause(1500);
  return {
    ended: results.then(([guessed, said]) => ({ guesses: guessed as FloodResult, hellos: said as FloodResult })),
  };
}

function showFloods(where: string, floods: Floods): void {
  const describe = (name: string, wanted: number, { sent, seconds: lasted, missed, cpuSeconds }: FloodResult) =>
    `${name} ${Math.round(sent / lasted)}/s of ${wanted}/s (${missed} missed, ${((100 * cpuSeconds) / lasted).toFixed(0)} % of a core)`;
  const guessed = describe('wrong passwords', guesses, floods.guesses);
  show(`${where}: ${guessed}, ${describe(`ClientHellos (${helloKind})`, hellos, floods.hellos)}`);
}

interface Revocations {
  readonly answersMs: number[];
  /** Revocations that were answered with an error, so that nothing was promised. */
  refused: number;
  /** Requests that passed although they were sent after the revocation of their token was answered. */
  passed: number;
  /** Tokens that passed before their revocation; a token that never passed proves nothing. */
  heldBefore: number;
}

async function revokeMany(dataDir: string, port: number, count: number, overMs: number): Promise<Revocations> {
  const result: Revocations = { answersMs: [], refused: 0, passed: 0, heldBefore: 0 };
  const startedMs = performance.now();
  for (let at = 0; at < count; at++) {
    const jti = `siege-${seed}-${at}`;
    const token = mint(jti);
    if ((await askOnce(port, token)) === 200) result.heldBefore += 1;
    const askedMs = performance.now();
    const answer = await askAdmin(dataDir, 'POST', 'revocations', { jti });
    result.answersMs.push(performance.now() - askedMs);
    if (answer.status === 201) {
      // each request has a connection of its own, so that both edges get some
      const after = await Promise.all(Array.from({ length: 4 }, () => askOnce(port, token)));
      result.passed += after.filter((status) => status === 200).length;
    } else result.refused += 1;
    if (process.stdout.isTTY) process.stdout.write(`\r${at + 1} of ${count} revocations`);
    await pause(Math.max(0, startedMs + ((at + 1) * overMs) / count - performance.now()));
  }
  if (process.stdout.isTTY) process.stdout.write('\r');
  return result;
}

function ms(value: number | null): string {
  return value === null ? '?' : value.toFixed(1);
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  return [0.5, 0.9, 0.99, 1].map((share) => (percentile(sorted, share) ?? 0).toFixed(1)).join(' / ');
}

try {
  const sitePort = Number(await run('site.ts', '', false));
  const gateway = await startSiegeGateway({ folder, secret, sitePort, edges, entry: values.entry });
  try {
    const requestsFile = join(folder, 'requests');
    const requests = Array.from(
      { length: 500 },
      (_, at) => `GET /own/${at} HTTP/1.1\r\nHost: siege.test\r\nAuthorization: Bearer ${mint(`own-${at}`)}\r\n\r\n`,
    );
    writeFileSync(requestsFile, requests.join(separator));
    const port = gateway.plainPort;
    const job = { port, requestsFile, connections: 32, requestsPerSecond: rate };
    show(`seed ${seed}; ${edges} edges; own traffic ${rate}/s; ${seconds} s alone, beside a sink and in the siege`);
    const hello = (await recordHello()).toString('base64');
    await pace(free, { ...job, seconds: 3 });
    const alone = await pace(free, { ...job, seconds });

    const [sinkGuesses, sinkHellos] = JSON.parse(await run('sink.ts', '', true)) as [number, number];
    const sink = children.at(-1);
    const sinkFloods = await startFloods(sinkGuesses, sinkHellos, hello);
    const beside = await pace(free, { ...job, seconds });
    showFloods('at the sink', await sinkFloods.ended);
    sink?.disconnect();

    const cpuBefore = gateway.cpuSeconds();
    const floods = await startFloods(port, gateway.securePort, hello);
    const [own, revoked, sent] = await Promise.all([
      pace(free, { ...job, seconds }),
      revokeMany(gateway.dataDir, port, revocations, (seconds - 1) * 1000),
      floods.ended,
    ]);
    const cpuAfter = gateway.cpuSeconds();
    const metrics = await gateway.scrape();
    const of = (name: string) => metrics.get(name) ?? 0;
    showFloods('at the gateway', sent);
    show(`answers to wrong passwords ${JSON.stringify(sent.guesses.answers)}`);
    if (cpuBefore !== null && cpuAfter !== null) {
      show(`the gateway took ${((100 * (cpuAfter - cpuBefore)) / (seconds + 3)).toFixed(0)} % of a core`);
    }
    const turns = [alone, beside, own];
    show(
      `own traffic p50 ${turns.map(({ p50Ms }) => ms(p50Ms)).join(' -> ')} ms (alone, beside the sink, in the siege)`,
    );
    show(`own traffic p90 ${turns.map(({ p90Ms }) => ms(p90Ms)).join(' -> ')} ms`);
    show(`own traffic p99 ${turns.map(({ p99Ms }) => ms(p99Ms)).join(' -> ')} ms`);
    show(`own requests refused ${turns.map(({ refused }) => refused).join(' / ')} of ${own.completed}`);
    show(`own requests broken ${turns.map(({ broken }) => broken).join(' / ')}`);
    show(
      `revocations: ${revoked.answersMs.length}, answered after p50 / p90 / p99 / max ${spread(revoked.answersMs)} ms`,
    );
    show(
      `  refused ${revoked.refused}; opened before ${revoked.heldBefore}; let through after the answer ${revoked.passed}`,
    );
    const ended =
      of('latchkey_edges_ended_total{reason="silent"}') + of('latchkey_edges_ended_total{reason="disobedient"}');
    show(`edges lost ${gateway.edgesLost()}, ended by control ${ended}, slow ${of('latchkey_edges_slow_total')} times`);
    show(
      `guesses turned away by edges ${of('latchkey_guesses_turned_away_total')}, by control ${of('latchkey_password_checks_total{outcome="busy"}')}`,
    );
    show(
      `replays reset ${of('latchkey_tls_hellos_replayed_total')}, handshakes cut ${of('latchkey_early_connections_cut_total')}, failed ${of('latchkey_tls_handshakes_failed_total')}`,
    );
    const ratioTo = (quiet: number | null) => (own.p99Ms ?? Number.POSITIVE_INFINITY) / (quiet ?? 1);
    const ratio = ratioTo(beside.p99Ms);
    show(
      `p99 in the siege is ${ratio.toFixed(1)} times that beside the sink, ${ratioTo(alone.p99Ms).toFixed(1)} times that alone`,
    );
    if (gateway.edgesLost() > 0 || revoked.passed > 0 || ratio > 3) process.exitCode = 1;
  } finally {
    await gateway.stop();
  }
} finally {
  for (const child of children) if (child.connected) child.disconnect();
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
