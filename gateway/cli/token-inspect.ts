// `latchkey token inspect`: what a token says, whether it holds, and why not.
// Says more than an answer to a client ever would, to somebody who holds the key's configuration.

import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { TokenTimeReason } from '../core/token/common-key-token.ts';
import { checkTimes, decodeUnverified, verifyToken } from '../core/token/common-key-token.ts';
import { epochSeconds, isoTime } from '../telemetry/clock.ts';
import { CommandError, usageError } from './command-error.ts';
import { requireConfig, requireKeyRing } from './load-config.ts';
import { printResult, styled } from './terminal.ts';

interface Verdict {
  readonly holds: boolean;
  /** A word of `DenyReason`, or `not-verified` when no configuration was named. */
  readonly reason: string | null;
  readonly detail: string | null;
}

export function tokenInspectCommand(token: Command): void {
  token
    .command('inspect')
    .description('say what a token says, whether it holds, and why not')
    .argument('<token>', 'the token, or - to read it from stdin')
    .option('--config <file>', 'configuration whose keys verify it; without one nothing is verified')
    .option('--json', 'print {holds, reason, detail, header, claims} as JSON')
    .addHelpText(
      'after',
      `
Checked are form, type, key, signature and times; what it opens is for each route to judge.
Exit code 0 when it holds, 1 when it does not or could not be verified, 2 for a wrong command line.

Examples:
  latchkey token inspect "$TOKEN" --config latchkey.yaml
  pbpaste | latchkey token inspect - --config latchkey.yaml --json`,
    )
    .action(async (argument: string, options: { config?: string; json?: boolean }) => {
      const token = argument === '-' ? (await text(process.stdin)).trim() : argument;
      if (token === '') throw usageError('no token given', 'latchkey token inspect TOKEN');
      const said = decodeUnverified(token);
      const verdict = options.config === undefined ? unverified : await judge(token, requireConfig(options.config));
      printResult(
        options,
        { ...verdict, header: said?.header ?? null, claims: said?.claims ?? null },
        describe(said, verdict),
      );
      if (!verdict.holds)
        throw new CommandError(verdict.detail ?? 'the token does not hold', { hint: hintFor(verdict.reason) });
    });
}

const unverified: Verdict = { holds: false, reason: 'not-verified', detail: 'not verified: no keys to verify it with' };

async function judge(token: string, config: Config): Promise<Verdict> {
  const verified = verifyToken(token, await requireKeyRing(config, { missing: 'refuse' }));
  if (verified.kind === 'refused') return { holds: false, reason: verified.reason, detail: verified.detail };
  const { exp, nbf, iat } = verified.claims;
  const now = epochSeconds();
  // The most lenient route decides: a stricter one may still refuse a long life.
  const longest = Math.max(...config.routes.map((route) => route.maxTokenTtlSeconds));
  const reason = checkTimes(verified, now, config.tokens.clockSkewSeconds, longest);
  if (reason === null) return { holds: true, reason: null, detail: null };
  return { holds: false, reason, detail: timeDetail(reason, { exp, nbf, iat, longest }, now) };
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
      return `holds from ${timeText(times.nbf ?? 0)} on`;
    case 'token-issued-ahead':
      return `issued in the future, at ${timeText(times.iat ?? 0)}`;
    case 'token-lives-too-long':
      return `lives ${times.exp - (times.iat ?? now)} s, no route takes more than ${times.longest} s`;
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
  const word = verdict.holds ? styled('green', 'holds') : styled('red', 'does not hold');
  const why = verdict.reason === null ? '' : ` (${verdict.reason})`;
  if (said === null) return `${word}${why}`;
  return [
    `${styled('bold', 'header')}  ${JSON.stringify(said.header)}`,
    `${styled('bold', 'claims')}  ${JSON.stringify(said.claims, null, 2).replaceAll('\n', '\n        ')}`,
    ...timeLines(said.claims),
    `${word}${why}`,
  ].join('\n');
}

/** The times in words, for those that are there. Unverified: any of them may be nonsense. */
function timeLines(claims: unknown): readonly string[] {
  if (typeof claims !== 'object' || claims === null) return [];
  return Object.entries(claims)
    .filter(([name, value]) => ['iat', 'nbf', 'exp'].includes(name) && typeof value === 'number')
    .map(([name, value]) => `${styled('dim', `${name}     ${timeText(Number(value))}`)}`);
}

function timeText(seconds: number): string {
  // 8.64e12 s is where dates end.
  return Number.isFinite(seconds) && Math.abs(seconds) <= 8.64e12 ? isoTime(seconds * 1000) : String(seconds);
}
