// The endpoint of `v1` that revokes tokens which other programs made with the common key. For administrators and the operator.
// control/signing-keys/revoke-outside.ts says which tokens a revocation covers.

import { z } from 'zod';
import { maxOutsideValue, revokeOutside } from '../../control/signing-keys/revoke-outside.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';

const value = z.string().min(1).max(maxOutsideValue).optional();

/** The endpoints of this file; `endpoints.ts` lists them. */
export const revocationEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'POST',
    path: 'revocations',
    summary: 'Refuse tokens made by others until now: by jti, by sub, or by kid; one of them',
    who: 'admin',
    body: z.strictObject({ jti: value, sub: value, kid: value }),
    response: z.object({ claim: z.enum(['jti', 'sub', 'kid']), value: z.string(), revoked_at: z.int() }),
    handle: async ({ context, actor, body }) => {
      const claims = (['jti', 'sub', 'kid'] as const).filter((name) => body[name] !== undefined);
      const [claim, ...others] = claims;
      const named = claim === undefined ? undefined : body[claim];
      if (claim === undefined || named === undefined || others.length > 0) {
        return refuse(400, 'bad-input', 'Name one of jti, sub and kid.');
      }
      const revoked = await revokeOutside(context, actor, { claim, value: named });
      if (revoked.kind === 'revoked') return answer({ claim, value: named, revoked_at: revoked.at }, 201);
      if (revoked.reason === 'forbidden') return refuse(403, 'not-admin', 'Only administrators revoke tokens.');
      return refuse(400, revoked.reason, 'That is no text that a token could hold.');
    },
  }),
];
