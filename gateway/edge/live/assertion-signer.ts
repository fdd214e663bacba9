// Signs assertions about the principal of a request, for one upstream at a time. Signing costs some 40 µs, so an assertion is used
// again for the same principal and upstream until half its life is over. The private key never leaves this process.

import { generateKeyPairSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { preferredUsername } from '../../core/decision/policy/user-name.ts';
import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { type AssertionKey, mintAssertion, publicJwk, thumbprint } from '../../core/token/assertion.ts';
import type { TokenClaims } from '../../core/token/claims.ts';

const lifeSeconds = 60;
const maxKept = 20_000;

interface Kept {
  readonly line: string;
  readonly renewAt: EpochSeconds;
}

/** This edge's assertion key and what was signed with it lately. */
export class AssertionSigner {
  readonly jwk: ReturnType<typeof publicJwk>;
  readonly #key: AssertionKey;
  readonly #kept = new LRUCache<string, Kept>({ max: maxKept });

  constructor() {
    const pair = generateKeyPairSync('ed25519');
    const kid = thumbprint(publicJwk('', pair.publicKey));
    this.jwk = publicJwk(kid, pair.publicKey);
    // one object for good: the header text is remembered by it
    this.#key = { kid, privateKey: pair.privateKey };
  }

  /** @returns the header line `X-Latchkey-Assertion`, or '' when the claims name no subject */
  line(claims: TokenClaims, route: RoutePolicy, issuer: string, now: EpochSeconds): string {
    if (claims.sub === undefined) return '';
    const said = {
      sub: claims.sub,
      email: claims.email,
      name: claims.name,
      preferred_username: preferredUsername(claims),
      groups: claims.groups,
      amr: claims.amr,
      grant: claims.grant,
      did: claims.did,
    };
    // JSON keeps the parts apart, so that no two principals ever share a key
    const key = JSON.stringify([issuer, route.upstreamName, said]);
    const kept = this.#kept.get(key);
    if (kept !== undefined && now < kept.renewAt) return kept.line;
    const assertion = mintAssertion(
      { iss: issuer, aud: route.upstreamName, iat: now, exp: now + lifeSeconds, ...said },
      this.#key,
    );
    const line = `X-Latchkey-Assertion: ${assertion}\r\n`;
    this.#kept.set(key, { line, renewAt: now + lifeSeconds / 2 });
    return line;
  }
}
