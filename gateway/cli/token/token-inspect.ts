// `latchkey token inspect`: prints what a token says, whether it opens anything, and why not.
// It tells more than an answer to a client ever does, because its reader has the configuration with the keys.

import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import { span, unitHint } from '../../core/decision/verdict/refusal-detail.ts';
import type { TokenTimeReason } from '../../core/token/common-key-token.ts';
import { checkTimes, decodeUnverified, verifyToken } from '../../core/token/common-key-token.ts';
import { epochSeconds, isoTime } from '../../telemetry/clock.ts';
import { CommandError, usageError } from '../command/command-error.ts';
import { requireConfig, requireKeyRing } from '../command/load-config.ts';
import { printResult, styled } from '../command/terminal.ts';
import { judgeRoutes, judgeUrl, type RouteVerdict, type UrlVerdict } from './token-routes.ts';

/** What the command found out about a token. */
interface Verdict {
  readonly holds: boolean;
  /** A word of `DenyReason`, or `not-verified` when no configuration was named. */
  readonly reason: string | null;
  readonly detail: string | null;
  /** Each route's verdict on the token; empty when its signature does not hold. */
  readonly routes: readonly RouteVerdict[];
  /** The verdict for a request of `--url` with the token; null without `--url`. */
  readonly url: UrlVerdict | null;
}

interface InspectOptions {
  readonly config?: string;
  readonly url?: string;
  readonly method: string;
  readonly client: string;
  readonly json?: boolean;
}

/** Adds the command `inspect` to its group. */
export function tokenInspectCommand(token: Command): void {
  token
    .command('inspect')
    .description('say what a token says, which routes it opens, and why not')
    .argument('<token>', 'the token, or - to read it from stdin')
    .option(
      '--config <file>',
      'configuration whose keys verify it and whose routes judge it; without one nothing is verified',
    )
    .option('--url <url>', 'decide as for a request of this URL: https://host/path')
    .option('--method <method>', 'of that request', 'GET')
    .option('--client <address>', 'who sends that request', '127.0.0.1')
    .option('--json', 'print {holds, reason, detail, routes, url, header, claims} as JSON')
    .addHelpText(
      'after',
      `
Checked are form, type, key, signature, times, and for each route of the file whether it would open anything there. It opens
something when one would; with --url, when that request would be let in. What was revoked is not looked at: latchkey explain says it of a request.
Exit code 0 when it opens something, 1 when it does not or could not be verified, 2 for a wrong command line.

Examples:
  latchkey token inspect "$TOKEN" --config latchkey.yaml
  latchkey token inspect "$TOKEN" --config latchkey.yaml --url https://media.example.org/vod/film/a.ts --method HEAD
  pbpaste | latchkey token inspect - --config latchkey.yaml --json`,
    )
    .action(async (argument: string, options: InspectOptions) => {
      const token = argument === '-' ? (await text(process.stdin)).trim() : argument;
      if (token === '') throw usageError('no token given', 'latchkey token inspect TOKEN');
      if (options.url !== undefined && options.config === undefined) {
        throw usageError('--url is decided by the routes of a configuration', 'name it: --config FILE');
      }
      const said = decodeUnverified(token);
      const verdict =
        options.config === undefined ? unverified : await judge(token, requireConfig(options.config), options);
      printResult(
        options,
        { ...verdict, header: said?.header ?? null, claims: said?.claims ?? null },
        describe(said, verdict),
      );
      if (!verdict.holds)
        throw new CommandError(verdict.detail ?? 'the token does not hold', { hint: hintFor(verdict.reason) });
    });
}

const nowhere = { routes: [], url: null } as const;
const unverified: Verdict = {
  ...{ holds: false, reason: 'not-verified', detail: 'not verified: no keys to verify it with' },
  ...nowhere,
};

async function judge(token: string, config: Config, { url, method, client }: InspectOptions): Promise<Verdict> {
  const ring = await requireKeyRing(config, { missing: 'refuse' });
  const verified = verifyToken(token, ring);
  if (verified.kind === 'refused') {
    return { holds: false, reason: verified.reason, detail: verified.detail, ...nowhere };
  }
  const now = epochSeconds();
  const circumstances = { config, ring, now };
  const routes = judgeRoutes(verified, circumstances);
  if (url !== undefined) {
    const at = judgeUrl(token, { url, method, client }, circumstances);
    if (at === null) throw usageError(`--url ${JSON.stringify(url)} is no URL that is answered`, 'https://host/path');
    return { holds: at.opens, reason: at.reason, detail: at.opens ? null : at.detail, routes, url: at };
  }
  if (routes.some(({ opens }) => opens)) return { holds: true, reason: null, detail: null, routes, url: null };
  // checked against the longest life that any route takes; a stricter route may refuse a shorter one
  const longest = Math.max(...config.routes.map((route) => route.maxTokenTtlSeconds));
  const late = checkTimes(verified, now, config.tokens.clockSkewSeconds, longest);
  if (late !== null) {
    const { exp, nbf, iat } = verified.claims;
    const detail = timeDetail(late, { exp, nbf, iat, longest }, now);
    return { holds: false, reason: late, detail, routes, url: null };
  }
  // the reason of a route that takes outside tokens says more than that of a route that does not
  const told = routes.find(({ reason }) => reason !== 'credential-not-accepted') ?? routes[0];
  const detail = `no route would open it${told === undefined ? '' : `; ${told.route}: ${told.detail}`}`;
  return { holds: false, reason: told?.reason ?? 'no-route', detail, routes, url: null };
}

function timeDetail(
  reason: TokenTimeReason,
  times: { exp: number; nbf: number | undefined; iat: number | undefined; longest: number },
  now: number,
): string {
  switch (reason) {
    case 'token-expired':
      return `expired ${now - times.exp} s ago`;
    case 'token-not-yet-valid':
      return `begins at ${timeText(times.nbf ?? 0)}`;
    case 'token-issued-ahead':
      return `issued in the future, at ${timeText(times.iat ?? 0)}`;
    case 'token-lives-too-long':
      return `lives ${span(times.exp - (times.iat ?? now))}, no route takes more than ${span(times.longest)}${unitHint(times.exp)}`;
    default:
      return reason satisfies never;
  }
}

function hintFor(reason: string | null): string | undefined {
  switch (reason) {
    case 'not-verified':
      return 'name the configuration: --config FILE';
    case 'token-unknown-key':
      return 'see the keys with: latchkey common-key list --config FILE';
    case 'token-bad-signature':
      return 'it was changed, or made with another key of the same id';
    case 'token-issued-ahead':
    case 'token-not-yet-valid':
      return 'compare the clocks of both machines';
    default:
      return undefined;
  }
}

function describe(said: { readonly header: unknown; readonly claims: unknown } | null, verdict: Verdict): string {
  const word = verdict.holds ? styled('green', 'opens something') : styled('red', 'opens nothing');
  const why = verdict.reason === null ? '' : ` (${verdict.reason})`;
  if (said === null) return `${word}${why}`;
  return [
    `${styled('bold', 'header')}  ${JSON.stringify(said.header)}`,
    `${styled('bold', 'claims')}  ${JSON.stringify(said.claims, null, 2).replaceAll('\n', '\n        ')}`,
    ...placeLines(verdict),
    ...timeLines(said.claims),
    `${word}${why}`,
  ].join('\n');
}

/** A line for each route's verdict, and one for the request of `--url`. */
function placeLines({ routes, url }: Verdict): readonly string[] {
  const width = Math.max(0, ...routes.map(({ route }) => route.length));
  const lines = routes.map(({ route, opens, reason, detail }) => {
    const why = reason === null ? '' : ` (${reason})`;
    return `${styled('bold', 'route')}   ${route.padEnd(width)}  ${wordFor(opens)}: ${detail}${why}`;
  });
  if (url === null) return lines;
  const at = `${url.method} ${url.host}${url.path}, ${url.route === null ? 'no route' : `route ${url.route}`}`;
  return [...lines, `${styled('bold', 'url')}     ${at}  ${wordFor(url.opens)}: ${url.detail}`];
}

function wordFor(opens: boolean): string {
  return opens ? styled('green', 'opens') : styled('red', 'refuses');
}

/** The time claims as dates, where they are numbers. NOT verified: their values may be nonsense. */
function timeLines(claims: unknown): readonly string[] {
  if (typeof claims !== 'object' || claims === null) return [];
  return Object.entries(claims)
    .filter(([name, value]) => ['iat', 'nbf', 'exp'].includes(name) && typeof value === 'number')
    .map(([name, value]) => `${styled('dim', `${name}     ${timeText(Number(value))}`)}`);
}

function timeText(seconds: number): string {
  // a Date ends at 8.64e12 s
  return Number.isFinite(seconds) && Math.abs(seconds) <= 8.64e12 ? isoTime(seconds * 1000) : String(seconds);
}
