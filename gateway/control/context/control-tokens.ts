// The tokens that control makes and reads itself: sessions under an internal key, passes under the common one.
// The ring is the one in force at each call, so a key that was promoted signs the next token. Knows no rows.

import type { Config } from '../../config/compiled/config.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { checkTimes, mintToken, verifyToken } from '../../core/token/common-key-token.ts';
import type { KeyRing } from '../../core/token/key-ring.ts';
import { isIssuable } from '../../core/token/pass-claims.ts';
import type { ClaimsOf } from '../../core/token/token-kinds.ts';
import type { ControlTokens } from './control-context.ts';

/** Longest lifetime of a session token that is accepted for a look: the tokens that control mints live 15 minutes. */
const maxSessionTokenSeconds = 24 * 3600;

interface TokenSources {
  readonly ring: () => KeyRing;
  readonly config: () => Pick<Config, 'tokens'>;
  readonly now: () => EpochSeconds;
}

export function makeControlTokens({ ring, config, now }: TokenSources): ControlTokens {
  const lifeOf = (ttlSeconds: number) => {
    const iat = now();
    return { iss: config().tokens.issuer, iat, exp: iat + ttlSeconds };
  };
  return {
    mintSession: ({ sub, host, sid, did, email, name, groups, nodes, position }, ttlSeconds) => {
      const key = ring().signer('internal');
      if (key === null) throw new Error('no internal key signs');
      const claims: ClaimsOf<'session'> = {
        ...lifeOf(ttlSeconds),
        sub,
        aud: [host],
        sid,
        did,
        email,
        ...(name === '' ? {} : { name }),
        ...(groups.length === 0 ? {} : { groups }),
        n: nodes,
        v: [position.epoch, position.seq],
      };
      return mintToken(claims, { key, type: 'session' });
    },
    mintPass: (claims, ttlSeconds) => {
      const key = ring().signer('content');
      const whole: ClaimsOf<'pass'> = { ...lifeOf(ttlSeconds), ...claims };
      if (key === null || !isIssuable(whole)) return null;
      try {
        return mintToken(whole, { key, type: 'pass' });
      } catch {
        // A long path under a long name can be more than a token holds. The session opens the place all the same.
        return null;
      }
    },
    verifySession: (text, host) => {
      const verified = verifyToken(text, ring());
      if (verified.kind === 'refused' || verified.type !== 'session') return null;
      // A person who comes back after an hour is still signed in: the end of the session is in its row.
      const at = Math.min(now(), verified.exp - 1);
      if (checkTimes(verified, at, config().tokens.clockSkewSeconds, maxSessionTokenSeconds) !== null) return null;
      return verified.claims.aud?.includes(host) === true ? verified.claims : null;
    },
  };
}
