// The forms in which content keys are given to other servers: JWK Set, plain text, and what nginx njs and HAProxy read in config/peers.
// It only makes text; the caller decides where the secrets go.

import type { Buffer } from 'node:buffer';

/** Names of the forms, as `--form` takes them. */
export const keyForms = ['jwk', 'njs', 'haproxy', 'plain'] as const;
export type KeyForm = (typeof keyForms)[number];

/** A content key with its secret. */
export interface SharedKey {
  readonly id: string;
  readonly secret: Buffer;
}

type KeyText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * Writes keys in a form.
 *
 * @param keys  at least one; the form `plain` takes exactly one
 * @returns `refused` when the form cannot hold these keys: raw bytes fit into `jwk` only
 */
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
 * An environment file, for systemd's EnvironmentFile or `set -a`. Its comments hold the lines that name the keys in haproxy-jwt.cfg.
 * The secrets stand in the environment, because everybody who may read HAProxy's configuration would read them there.
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

/** Whether a secret is printable ASCII without blanks, quotes and backslashes, which a shell, JSON or HAProxy would read differently. */
function isText(secret: Buffer): boolean {
  return secret.every((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x27 && byte !== 0x5c);
}

function textOf({ secret }: SharedKey): string {
  return secret.toString('latin1');
}
