// Turns options of the command line into the claims of an outside token: life, scope and others.
// core/token has the rules of tokens; a refusal from there becomes the command's error here.

import { randomBytes } from 'node:crypto';
import { parseDurationMs } from '../../config/schema/values.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { mintToken } from '../../core/token/common-key-token.ts';
import type { RingKey } from '../../core/token/key-ring.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { CommandError, usageError } from '../command/command-error.ts';

/** Options that `token mint` and `url sign` share. */
export interface ClaimOptions {
  readonly sub?: string;
  readonly ttl: string;
  readonly paths?: readonly string[];
  readonly methods?: readonly string[];
  readonly hosts?: readonly string[];
  readonly ips?: readonly string[];
  readonly aud?: readonly string[];
  readonly claims?: string;
}

/** A minted token with the id of its key and its claims. */
interface MintedToken {
  readonly token: string;
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>> & { readonly iat: EpochSeconds; readonly exp: EpochSeconds };
}

/** Collects the values of an option that may be repeated, each a comma-separated list. For commander's argument parsers. */
export function listOption(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...value.split(',').map((item) => item.trim())];
}

/** Collects the values of an option that may be repeated; a comma is part of a value. For commander's argument parsers. */
export function repeatedOption(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Makes an outside token that is signed with `key`. @throws CommandError (exit code 2) for options that make no valid token */
export function mintFromOptions(options: ClaimOptions, key: RingKey): MintedToken {
  const now = epochSeconds();
  const claims = {
    ...extraClaims(options.claims),
    ...(options.sub === undefined ? {} : { sub: options.sub }),
    iat: now,
    exp: now + ttlSeconds(options.ttl),
    // an id of its own, by which this one token can be revoked
    jti: randomBytes(9).toString('base64url'),
    ...(options.paths === undefined ? {} : { paths: options.paths }),
    ...(options.methods === undefined ? {} : { methods: options.methods.map((method) => method.toUpperCase()) }),
    ...(options.hosts === undefined ? {} : { hosts: options.hosts.map((host) => host.toLowerCase()) }),
    ...(options.ips === undefined ? {} : { ips: options.ips }),
    ...(options.aud === undefined ? {} : { aud: options.aud.length === 1 ? options.aud[0] : options.aud }),
  };
  try {
    return { token: mintToken(claims, { key, type: 'outside' }), kid: key.record.id, claims };
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), {
      exitCode: 2,
      hint: 'see: latchkey token mint --help',
    });
  }
}

/** Reads `--ttl`. @returns seconds @throws CommandError (exit code 2) when the text is no duration of whole seconds */
function ttlSeconds(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < 1000 || ms % 1000 !== 0) {
    throw usageError(`--ttl: ${JSON.stringify(text)} is not a duration of whole seconds`, 'write 15m, 12h or 1h30m');
  }
  return ms / 1000;
}

function extraClaims(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(
      '--claims is not a JSON object',
      `write --claims '{"email":"anna@example.org","groups":["staff"]}'`,
    );
  }
  return { ...value };
}
