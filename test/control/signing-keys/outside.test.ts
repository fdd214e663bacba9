// Who may revoke outside tokens (made by others with the common key), and by which claims. gateway/RULES.md "One graph of revocation".

import { expect, test } from 'vitest';
import { createOperatorServer } from '../../../gateway/api/operator-server.ts';
import { revokeOutside } from '../../../gateway/control/signing-keys/revoke-outside.ts';
import { makeContext } from '../../support/rigs/control-context.ts';

test('only administrators and the operator revoke outside tokens, by one of jti, sub or kid at a time', async () => {
  const site = await makeContext();
  const server = createOperatorServer(site.context);
  try {
    const ask = async (payload: object) =>
      (await server.inject({ method: 'POST', url: '/v1/revocations', payload })).statusCode;
    expect([await ask({ jti: 't-1' }), await ask({ sub: 'bob' }), await ask({ kid: 'k1' })]).toEqual([201, 201, 201]);
    const wrong = [{}, { jti: 'a', sub: 'b' }, { sub: '' }, { sub: 'a\nb' }, { sub: 'x'.repeat(291) }, { iss: 'a' }];
    for (const body of wrong) expect([body, await ask(body)]).toEqual([body, 400]);
    const ann = {
      kind: 'account',
      accountId: 'ac_1',
      sessionId: 'se_1',
      deviceId: 'dv_1',
      email: 'ann@example.org',
    } as const;
    const order = { claim: 'sub', value: 'ben' } as const;
    expect(await revokeOutside(site.context, { ...ann, role: 'user' }, order)).toMatchObject({ reason: 'forbidden' });
    expect(await revokeOutside(site.context, { ...ann, role: 'admin' }, order)).toMatchObject({ kind: 'revoked' });
    const changes = await site.store.sql.selectFrom('changes').select(['kind', 'node']).orderBy('seq').execute();
    const nodes = ['jti:t-1', 'sub:bob', 'kid:k1', 'sub:ben'];
    expect(changes).toEqual(nodes.map((node) => ({ kind: 'outside', node })));
  } finally {
    await server.close();
  }
});
