// What `explain` tells of a request that a shared key let in, or does not let in any more: the whole chain from the credential down, on both
// engines. The records are those that an edge would write from control's answer.

import { expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { explainRequest } from '../../../gateway/control/explain/explain-request.ts';
import { withdrawCredential } from '../../../gateway/control/keys/withdraw-credential.ts';
import { endShare } from '../../../gateway/control/sharing/end-share.ts';
import type { DecisionRecord } from '../../../gateway/core/decision/verdict/decision-record.ts';
import { addAccount, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

describeEngines('explaining shared keys', (engine) => {
  test('names credential, key and each share with who gave it to whom, and what ended afterwards', async () => {
    const rig = await makeShareRig(engine);
    rig.sharing({ reshareDepth: 1 });
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const ole = await addAccount(rig, { email: 'ole@example.org' });
    const toMina = await rig.given('mina@example.org', { reshareDepth: 1 });
    await rig.accept(toMina.id, mina);
    const toOle = await rig.given('ole@example.org', { usableUntilAt: rig.clock.now + 3600 }, mina);
    await rig.accept(toOle.id, ole);
    const question = { account: ole.accountId, session: ole.sessionId, device: ole.deviceId, host: 'media.localhost' };
    const answer = await answerAccess(rig.context, { ...question, path: '/cam/hillside/a' });
    if (answer.kind !== 'granted') throw new Error('refused');
    const { grant, nodes, position } = answer;
    const base: DecisionRecord = {
      ...{ id: 'r', at: rig.clock.now, by: 'e1', client: '203.0.113.9', method: 'GET', host: 'media.localhost' },
      ...{ path: '/cam/hillside/a', route: 'cam', status: 200, outcome: 'allow', reason: 'member', detail: null },
      ...{ holder: null, user: ole.accountId, grant, nodes, presented: [], position },
    };
    const explain = async (record: DecisionRecord): Promise<string> => {
      const decisions = { find: async () => [record] };
      const told = await explainRequest({ ...rig.context, decisions }, 'r');
      return told.kind === 'found' ? told.chain.map(({ node, text }) => `${node} ${text}`).join('\n') : told.kind;
    };
    const allowed = await explain(base);
    const steps = [
      `${rig.credentialId} credential “Staff card” (Hillside), issued to owner@example.org`,
      `${rig.keyId} key “Front door” of “Staff card” (Hillside) opens media.localhost/cam/hillside/`,
      `${toMina.id} owner@example.org offered key “Front door” to mina@example.org`,
      `${toMina.id} ${mina.accountId} accepted this share, and holds the key by it`,
      `${toOle.id} mina@example.org offered key “Front door” to ole@example.org, as a re-share`,
      `${toOle.id} ${ole.accountId} accepted this share, and holds the key by it`,
      `${toOle.id} end of what comes through this share`,
      'co_cam collection cam: owned by nobody',
    ];
    const places = steps.map((step) => allowed.indexOf(step));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(allowed).not.toContain('revoked');

    await endShare(rig.context, rig.owner, { shareId: toMina.id, event: 'revoke', origin: atHome });
    expect(await explain(base)).toContain(`${toMina.id} revoked, after this was decided`);
    // a refusal has no grant; what the account had there by keys is told all the same
    const denied = { ...base, outcome: 'deny', reason: 'no-access', grant: null, nodes: [ole.accountId] } as const;
    const refused = await explain({ ...denied, position: await rig.store.readPosition() });
    expect(refused).toContain(`${toOle.id} mina@example.org offered key “Front door” to ole@example.org`);
    // and so is what ended above it
    expect(refused).toContain(`${toMina.id} this share was revoked by ${rig.owner.accountId}`);
    await withdrawCredential(rig.context, operator, rig.credentialId, atHome);
    expect(await explain(base)).toContain(`${rig.credentialId} this credential was withdrawn by operator`);
    expect(await explain(base)).toContain(`${toMina.id} this share was revoked by ${rig.owner.accountId}`);
  });
});
