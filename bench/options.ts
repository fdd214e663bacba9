// Reads the bench's command line, and has its help. Pure.

import { parseArgs } from 'node:util';

/** What a run measures, and how long. */
export interface BenchOptions {
  /** How often each proxy is visited. */
  readonly rounds: number;
  /** Number of windows for each proxy with all proxies running side by side; 0 for none. */
  readonly turns: number;
  /** Length of a window at saturation, in seconds. */
  readonly seconds: number;
  /** Load before the first window that counts, in lengths of a window; never more than 6 s. */
  readonly warmWindows: number;
  /** Names of the proxies to measure; null for all. */
  readonly only: readonly string[] | null;
  /** Whether to measure a second table, with access logs to a file. */
  readonly logs: boolean;
  /** Whether to compare the gateway with itself: routes, tokens, edges, idle connections, slow clients. */
  readonly comparisons: boolean;
  /** Whether to keep the result in `bench/results/` as well. */
  readonly record: boolean;
  /** Requests per second for latency; null: half of what nginx reaches. */
  readonly rate: number | null;
  /** A checkout whose gateway takes part as `latchkey-before`; null: none. */
  readonly against: string | null;
  /** Whether to use the Node.js backend and autocannon even where nginx and wrk are installed. */
  readonly plainTools: boolean;
}

type ParsedOptions =
  | { readonly kind: 'run'; readonly options: BenchOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

export const help = `npm run bench -- [options]

  --quick            one round of 1 s windows: a look, not a measurement
  --only A,B         only these proxies (latchkey, latchkey-pipelining, nginx-secure-link, nginx, nginx-256k, haproxy-jwt, haproxy,
                     ats-uri-signing, ats, caddy, http-proxy, undici, fastify-http-proxy)
  --rounds N         rounds; each proxy once per round, medians count (default 2)
  --turns N          windows for each proxy with all running side by side, for CPU per request (default 6, 0 for none)
  --seconds N        length of a window (default 4)
  --rate N           requests per second for latency (default: half of what nginx reaches)
  --logs             a second table with access logs to a file
  --comparisons      also latchkey against itself: many routes, a million tokens, two edges, idle and slow clients
  --against FOLDER   also the gateway of another checkout, as latchkey-before: what a change cost, in one run
  --record           also write bench/results/<date>.json and .svg
  --plain-tools      autocannon and a Node backend even where wrk and nginx are installed
`;

/** Parses arguments, and checks each value. @param names  of the proxies that there are */
export function parseOptions(args: readonly string[], names: readonly string[]): ParsedOptions {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { kind: 'wrong', problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: 'help' };
  const rounds = readNumber(values.rounds ?? (values.quick ? '1' : '2'), 1, 100);
  const turns = readNumber(values.turns ?? (values.quick ? '2' : '6'), 0, 1000);
  const seconds = readNumber(values.seconds ?? (values.quick ? '1' : '4'), 1, 600);
  const rate = values.rate === undefined ? null : readNumber(values.rate, 1, 1_000_000);
  const only = values.only?.split(',').map((name) => name.trim()) ?? null;
  const unknown = only?.find((name) => !names.includes(name));
  if (rounds === undefined) return { kind: 'wrong', problem: '--rounds takes a whole number from 1 to 100' };
  if (turns === undefined) return { kind: 'wrong', problem: '--turns takes a whole number from 0 to 1000' };
  if (seconds === undefined) return { kind: 'wrong', problem: '--seconds takes a whole number from 1 to 600' };
  if (rate === undefined) return { kind: 'wrong', problem: '--rate takes a whole number from 1 to 1000000' };
  if (unknown !== undefined) {
    return { kind: 'wrong', problem: `--only: no proxy is called "${unknown}" (there are ${names.join(', ')})` };
  }
  const against = values.against ?? null;
  const { logs = false, record = false, comparisons = false } = values;
  return {
    kind: 'run',
    options: {
      rounds,
      turns,
      seconds,
      warmWindows: values.quick ? 1 : 2,
      only: against === null ? only : (only?.concat('latchkey-before') ?? null),
      rate,
      logs,
      record,
      comparisons,
      against,
      plainTools: values['plain-tools'] ?? false,
    },
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      turns: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      logs: { type: 'boolean' },
      comparisons: { type: 'boolean' },
      record: { type: 'boolean' },
      against: { type: 'string' },
      'plain-tools': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values;
}

function readNumber(text: string, least: number, most: number): number | undefined {
  const value = Number(text);
  return /^[0-9]+$/.test(text) && value >= least && value <= most ? value : undefined;
}
