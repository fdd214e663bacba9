// Checks latchkey's common-key tokens inside nginx (njs). Exports `verdict` for js_set: "open", "outside" (403), or why not (401).
// Checked: algorithm, type, key id, signature, exp, nbf, longest life, paths, methods, hosts. Not understood and therefore
// refused: tokens limited by `ips` or `aud`, and patterns with a star before the end. Keys come from js_preload_object.

// biome-ignore lint/style/useNodejsImportProtocol: njs knows no node: names
import crypto from 'crypto';

// As in latchkey's configuration: clock_skew and max_token_ttl.
const skewSeconds = 5;
const maxTtlSeconds = 86400;

function verdict(r) {
  try {
    const token = findToken(r);
    if (token === null) return 'none';
    const claims = verify(token, Math.floor(Date.now() / 1000));
    if (typeof claims === 'string') return claims;
    return opens(claims, r) ? 'open' : 'outside';
  } catch (_error) {
    // Whatever it was: not "open".
    return 'malformed';
  }
}

// One explicit token decides alone; two of them are none. Without one, the cookie of a pass.
function findToken(r) {
  const found = [];
  const bearer = /^bearer +(.+)$/i.exec(r.headersIn.Authorization || '');
  if (bearer !== null) found.push(bearer[1]);
  if (r.variables.path_token) found.push(r.variables.path_token);
  if (r.args.token !== undefined) found.push(r.args.token);
  if (found.length === 0 && r.variables.cookie_latchkey_pass) found.push(r.variables.cookie_latchkey_pass);
  return found.length === 1 && typeof found[0] === 'string' && found[0].length <= 4096 ? found[0] : null;
}

function verify(token, now) {
  const parts = token.split('.');
  if (parts.length !== 3) return 'malformed';
  const header = JSON.parse(Buffer.from(parts[0], 'base64url').toString());
  if (header.alg !== 'HS256' || header.crit !== undefined) return 'header';
  if (header.typ !== undefined && header.typ !== 'JWT' && header.typ !== 'lp+jwt') return 'type';
  const key = Object.keys(latchkeyKeys).indexOf(header.kid) < 0 ? undefined : latchkeyKeys[header.kid];
  if (typeof key !== 'string') return 'key';
  const mac = crypto.createHmac('sha256', key).update(`${parts[0]}.${parts[1]}`).digest('base64url');
  if (!isSame(mac, parts[2])) return 'signature';

  // Only now, so that no parser sees claims that no key holder made.
  const claims = JSON.parse(Buffer.from(parts[1], 'base64url').toString());
  // Many libraries write null for a claim that they were not given.
  Object.keys(claims).forEach((name) => {
    if (claims[name] === null) delete claims[name];
  });
  if (!isTime(claims.exp) || now >= claims.exp + skewSeconds) return 'expired';
  if (claims.exp - (isTime(claims.iat) ? claims.iat : now) > maxTtlSeconds) return 'life';
  if (claims.nbf !== undefined && (!isTime(claims.nbf) || now < claims.nbf - skewSeconds)) return 'early';
  if (claims.aud !== undefined) return 'audience';
  return claims;
}

// The path is nginx's own, decoded and normalized: the one that the file is looked up by. Names are compared decoded on both sides.
function opens(claims, r) {
  if (claims.ips !== undefined || !Array.isArray(claims.paths)) return false;
  const method = r.method;
  if (claims.methods !== undefined) {
    const isListed = claims.methods.includes(method) || (method === 'HEAD' && claims.methods.includes('GET'));
    if (!isListed) return false;
  }
  if (claims.hosts !== undefined && !claims.hosts.includes(r.variables.host)) return false;
  return claims.paths.some((pattern) => {
    const name = pattern.endsWith('/*') ? pattern.slice(0, -1) : pattern;
    // what is no plain name: a star anywhere else, a query, an encoded slash, a percent sign alone
    if (/[*?#\\]|%2f|%5c|%(?![0-9a-f][0-9a-f])/i.test(name)) return false;
    const decoded = decodeURIComponent(name);
    return name === pattern ? r.uri === decoded : r.uri.startsWith(decoded);
  });
}

// Seconds, with a fraction perhaps (RFC 7519 §2). JSON.parse makes Infinity of what is too large.
function isTime(value) {
  return typeof value === 'number' && value >= 0 && value <= 9007199254740991;
}

// Looks at every character whatever it finds, so that the time says nothing about how much was right.
function isSame(left, right) {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}

export default { verdict };
