// The token of each identity, under the key that gateways of the tests sign with, good for a run of nearly a day.

import { mintToken } from '../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../gateway/core/token/key-ring.ts';
import { epochSeconds } from '../../gateway/telemetry/clock.ts';
import { gatewaySecret } from '../support/rigs/gateway.ts';
import { identities, userOf } from './protocol.ts';

// below the longest life that a route accepts
const seconds = 23 * 3600;

export function mintIdentityTokens(): string[] {
  const ring = buildKeyRing([
    { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: gatewaySecret },
  ]);
  const key = ring.signer('content');
  if (key === null) throw new Error('there is no signing key');
  const exp = epochSeconds() + seconds;
  return Array.from({ length: identities }, (_, number) =>
    mintToken({ sub: userOf(number), exp, paths: ['/*'] }, { key, type: 'outside' }),
  );
}
