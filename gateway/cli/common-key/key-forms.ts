// The forms in which content keys are handed to other servers: what nginx njs and HAProxy read in config/peers, JWK, and plain.
// Pure text; whoever calls decides where secrets go.

import type { Buffer } from 'node:buffer';

export const keyForms = ['jwk', 'njs', 'haproxy', 'plain'] as const;
export type KeyForm = (typeof keyForms)[number];

/** A key as it is handed out. */
export interface SharedKey {
  readonly id: string;
  readonly secret: Buffer;
}

type KeyText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** @param keys  at least one; the form `plain` takes exactly one */
export function keyText(keys: readonly SharedKey[], form: KeyForm): KeyText {
  if (form === 'jwk') return { kind: 'text', text: jwkSet(keys) };
  const raw = keys.find((key) => !isText(key.secret));
  if (raw !== undefined) {
    return {
      kind: 'refused',
      problem: `key ${raw.id} is raw bytes, and ${form} takes a key as text`,
      hint: 'use --form jwk, or have a new key sign: latchkey common-key generate --config FILE',
    };
  }
  switch (form) {
    case 'njs':
      return {
        kind: 'text',
        text: `${JSON.stringify(Object.fromEntries(keys.map((key) => [key.id, textOf(key)])))}\n`,
      };
    case 'haproxy':
      return haproxyText(keys);
    case 'plain':
      return keys.length === 1
        ? { kind: 'text', text: `${keys.map(textOf).join('')}\n` }
        : {
            kind: 'refused',
            problem: 'plain is the form of one key',
            hint: 'say which: latchkey common-key export ID',
          };
    default:
      return form satisfies never;
  }
}

/** A JWK Set of `oct` keys (RFC 7517 §5, RFC 7518 §6.4). */
function jwkSet(keys: readonly SharedKey[]): string {
  const set = keys.map(({ id, secret }) => ({
    ...{ kty: 'oct', kid: id, alg: 'HS256', use: 'sig' },
    k: secret.toString('base64url'),
  }));
  return `${JSON.stringify({ keys: set }, null, 2)}\n`;
}

/**
 * An environment file, for systemd's EnvironmentFile or `set -a`, and as comments the lines that name the keys in
 * haproxy-jwt.cfg. A secret in the configuration itself would be readable for whoever reads that.
 */
function haproxyText(keys: readonly SharedKey[]): KeyText {
  const named = keys.map((key) => ({
    ...key,
    variable: `LATCHKEY_${key.id.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`,
  }));
  const variables = new Set(named.map(({ variable }) => variable));
  if (variables.size < named.length) {
    return {
      kind: 'refused',
      problem: 'two of these keys would have one name in the environment',
      hint: 'export them one by one',
    };
  }
  const lines = [
    '# The environment of HAProxy. In haproxy-jwt.cfg these stand in place of the lines of k1:',
    ...named.flatMap(({ id, variable }) => [
      `#   acl ${id}_named  var(txn.kid) -m str ${id}`,
      `#   acl ${id}_signed var(txn.token),jwt_verify(txn.alg,"\${${variable}}") -m int 1`,
    ]),
    `#   http-request return status 401 hdr WWW-Authenticate Bearer unless ${named
      .map(({ id }) => `${id}_named ${id}_signed`)
      .join(' || ')}`,
    ...named.map((key) => `${key.variable}='${textOf(key)}'`),
  ];
  return { kind: 'text', text: `${lines.join('\n')}\n` };
}

/** Printable ASCII without what a shell, JSON or HAProxy would read as something else. */
function isText(secret: Buffer): boolean {
  return secret.every((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x27 && byte !== 0x5c);
}

function textOf({ secret }: SharedKey): string {
  return secret.toString('latin1');
}
