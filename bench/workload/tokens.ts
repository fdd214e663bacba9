// Makes the credentials of the load: what each kind of proxy checks, from one secret, in equal number and length.
// Pure: the time and the secret are arguments. It uses none of the gateway's code, so that the gate also proves that the gateway takes
// tokens of other programs.
// Rules: RFC 7515 §7.1 (JWS compact), nginx's ngx_http_secure_link_module, draft-ietf-cdni-uri-signing-16.

import { createHash, createHmac } from 'node:crypto';

/** Key id that every JWT of the load names. */
export const keyId = 'bench-1';
/** Issuer by which the URI signing peer finds its key. */
export const issuer = 'bench issuer';
/** About the length of a token with a handful of claims. */
export const tokenLength = 300;

/** The bearer JWT of one user, for every path below `/vod/` unless told; exactly `tokenLength` characters or one more. */
export function makeBearer(user: number, secret: string, expires: number, paths = ['/vod/*']): string {
  const claims = {
    iss: 'bench',
    sub: `user-${user.toString().padStart(5, '0')}`,
    exp: expires,
    paths,
    email: `user-${user}@example.org`,
  };
  return fill(claims, { alg: 'HS256', typ: 'JWT', kid: keyId }, secret);
}

/** The JWT that Traffic Server's uri_signing takes in the query as `URISigningPackage`. */
export function makeUriSigning(user: number, secret: string, expires: number): string {
  const claims = {
    iss: issuer,
    sub: `user-${user.toString().padStart(5, '0')}`,
    exp: expires,
    cdniv: 1,
    cdniuc: 'regex:http://[^/]*/vod/.*',
  };
  return fill(claims, { alg: 'HS256', kid: keyId }, secret);
}

/** The `md5` argument of nginx's secure_link for one path: base64url of MD5 over `<expires><path> <secret>`. */
export function makeSecureLink(path: string, secret: string, expires: number): string {
  return createHash('md5').update(`${expires}${path} ${secret}`).digest('base64url');
}

/** The same credential with one character in its last third changed: a wrong signature of the right shape. */
export function spoil(credential: string): string {
  const at = credential.length - 12;
  const other = credential[at] === 'A' ? 'B' : 'A';
  return credential.slice(0, at) + other + credential.slice(at + 1);
}

function fill(claims: Readonly<Record<string, unknown>>, header: object, secret: string): string {
  const bare = sign({ ...claims, name: '' }, header, secret);
  // Four characters of base64url carry three bytes, so the filler comes out at the wanted length or one over it.
  const missing = Math.max(0, Math.floor(((tokenLength - bare.length) * 3) / 4));
  return sign({ ...claims, name: 'n'.repeat(missing) }, header, secret);
}

function sign(claims: object, header: object, secret: string): string {
  const message = `${encode(header)}.${encode(claims)}`;
  return `${message}.${createHmac('sha256', secret).update(message).digest('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
