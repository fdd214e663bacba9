// What `explain` tells about a request, from records that were really written and from the store as it is now.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deleteAccount } from '../../../gateway/control/accounts/delete-account.ts';
import type { DecisionLedger } from '../../../gateway/control/context/control-context.ts';
import { openDecisionFiles } from '../../../gateway/control/explain/decision-files.ts';
import { type Explanation, explainRequest } from '../../../gateway/control/explain/explain-request.ts';
import { claimLink } from '../../../gateway/control/links/claim-link.ts';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { type DecisionRecord, recordLine } from '../../../gateway/core/decision/verdict/decision-record.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { addAccount, type LinkRig, makeLink, makeLinkRig } from '../../support/rigs/link-rig.ts';

let folder: string;
let seconds: number;
const opened: DecisionLedger[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-explain-'));
  seconds = 1_800_000_000;
});

afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const { logger, said } = memoryLogger();

function open(changes: Partial<Parameters<typeof openDecisionFiles>[0]> = {}): DecisionLedger {
  const clock = { epochSeconds: () => seconds };
  const ledger = openDecisionFiles({ folder: join(folder, 'decisions'), clock, logger, ...changes });
  opened.push(ledger);
  return ledger;
}

function record(id: string, changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    id,
    at: seconds,
    by: 'e1',
    client: '203.0.113.9',
    method: 'GET',
    host: 'media.localhost',
    path: '/vod/summer/a.ts',
    route: 'vod',
    status: 200,
    outcome: 'allow',
    reason: 'member',
    detail: null,
    holder: null,
    user: null,
    grant: null,
    nodes: [],
    presented: [],
    position: null,
    ...changes,
  };
}

const names = (): string[] =>
  readdirSync(join(folder, 'decisions'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .sort();

describe('the files', () => {
  test('a record is found by its request id, in whichever file and part of a file it stands, also by the next control', async () => {
    const ledger = open({ maxFileBytes: 3_000_000 });
    ledger.append(record('first'));
    const filler = recordLine(record('filler', { path: `/${'x'.repeat(400)}` })).repeat(8000);
    for (let file = 0; file < 2; file++) {
      ledger.appendLines(filler);
      await ledger.find('none');
    }
    ledger.append(record('last', { detail: 'with "quotes" and \n' }));
    expect(await ledger.find('first')).toEqual([record('first')]);
    await ledger.close();
    const next = open();
    expect(await next.find('last')).toEqual([record('last', { detail: 'with "quotes" and \n' })]);
    expect(await next.find('las')).toEqual([]);
    expect(await next.find('filler')).toHaveLength(32);
    expect(names().length).toBeGreaterThan(1);
  });

  test('only the owner may read the files', async () => {
    const ledger = open();
    ledger.append(record('a'));
    await ledger.find('a');
    expect(statSync(join(folder, 'decisions')).mode & 0o777).toBe(0o700);
    for (const name of names()) expect(statSync(join(folder, 'decisions', name)).mode & 0o777).toBe(0o600);
  });

  test('the number of files is bounded, and files are removed after a day', async () => {
    const ledger = open({ maxFileBytes: 1, maxFiles: 3 });
    for (let file = 0; file < 6; file++) {
      ledger.append(record(`r${file}`));
      await ledger.find('none');
    }
    expect(names()).toHaveLength(3);
    expect(await ledger.find('r5')).toHaveLength(1);
    expect(await ledger.find('r0')).toHaveLength(0);
    seconds += 86_400 + 3601;
    ledger.append(record('new'));
    expect(await ledger.find('new')).toHaveLength(1);
    expect(names()).toHaveLength(1);
  });

  test('a flood of refused strangers displaces no other records, whatever the strangers ask for', async () => {
    const ledger = open({ maxFileBytes: 1, maxFiles: 8 });
    ledger.append(record('claimed', { outcome: 'claim' }));
    ledger.appendLines(recordLine(record('let-in')));
    const key = { type: 'pass', key: 'k1', expiresAt: 1 } as const;
    ledger.appendLines(recordLine(record('known', { outcome: 'deny', presented: [key] })));
    const refused = { outcome: 'deny', path: '/a"outcome":"claim","presented":[1]' } as const;
    for (let flood = 0; flood < 20; flood++) {
      ledger.appendLines(recordLine(record(`refused-${flood}`, refused)));
      await ledger.find('none');
    }
    for (const id of ['claimed', 'let-in', 'known', 'refused-19']) expect(await ledger.find(id), id).toHaveLength(1);
    expect(await ledger.find('refused-0')).toEqual([]);
    expect(readdirSync(join(folder, 'decisions', 'strangers'))).toHaveLength(2);
  });

  test('files that are older than a day are removed even when no new record comes', async () => {
    const ledger = open();
    ledger.append(record('a'));
    await ledger.find('a');
    seconds += 86_400 + 3601;
    await ledger.forgetOld();
    expect(names()).toEqual([]);
  });

  test('records that cannot be written are dropped and counted, and the problem is logged once', async () => {
    writeFileSync(join(folder, 'file'), '');
    const ledger = open({ folder: join(folder, 'file', 'decisions') });
    ledger.append(record('a'));
    expect(await ledger.find('a')).toEqual([]);
    ledger.append(record('b'));
    await ledger.close();
    expect(ledger.droppedBytes()).toBe(recordLine(record('a')).length * 2);
    expect(said().match(/records of decisions cannot be kept/g)).toHaveLength(1);
  });

  test('the memory for waiting records is bounded', async () => {
    const ledger = open({ maxWaitingBytes: 1000 });
    ledger.appendLines(`${'x'.repeat(900)}\n`);
    ledger.append(record('too-much'));
    expect(await ledger.find('too-much')).toEqual([]);
    expect(ledger.droppedBytes()).toBeGreaterThan(0);
  });
});

describe('the explanation', () => {
  async function rigWithLedger(): Promise<{ rig: LinkRig; ledger: DecisionLedger; context: LinkRig['context'] }> {
    const rig = await makeLinkRig('sqlite');
    const ledger = open();
    return { rig, ledger, context: { ...rig.context, decisions: ledger } };
  }

  const textsOf = (explanation: Explanation): string =>
    explanation.kind === 'found' ? explanation.chain.map(({ node, text }) => `${node ?? ''} ${text}`).join('\n') : '';

  test('of a claim shows both answers, the link, its owner, the account and the device', async () => {
    const { rig, context } = await rigWithLedger();
    const visitor = await addAccount(rig, { email: 'mina@example.org' });
    const made = await makeLink(rig);
    const claimed = await claimLink(context, visitor, made.presentation, 'request-1');
    const again = await claimLink(context, visitor, made.presentation, 'request-2');
    expect([claimed.kind, again.kind]).toEqual(['granted', 'already']);

    const first = textsOf(await explainRequest(context, 'request-1'));
    expect(first).toContain('bound to this link already? no');
    expect(first).toContain('authorised by anything else? no');
    expect(first).toContain('account mina@example.org, active');
    expect(first).toContain('device “Firefox on Linux”');
    expect(first).toContain(`came in by link ${made.link.id} on device ${visitor.deviceId}`);
    expect(first).toContain('link “Film night” to media.localhost/vod/summer/, made by owner@example.org');
    expect(first).toContain('collection summer: owned by');
    rig.configure({
      collections: rig.context.config().collections.map((all) => ({ ...all, owners: [], methods: ['GET', 'HEAD'] })),
    });
    const limited = textsOf(await explainRequest(context, 'request-1'));
    expect(limited).toContain('collection summer: owned by nobody, open for GET, HEAD only');
    expect(first).toContain('audit log:');
    expect(textsOf(await explainRequest(context, 'request-2'))).toContain('bound to this link already? yes');
  });

  test('names the maker of a link by id once that account is deleted', async () => {
    const { rig, context } = await rigWithLedger();
    const visitor = await addAccount(rig, { email: 'mina@example.org' });
    const made = await makeLink(rig);
    await claimLink(context, visitor, made.presentation, 'request-1');
    expect((await deleteAccount(context, { kind: 'operator' }, { accountId: rig.owner.accountId })).kind).toBe(
      'deleted',
    );
    expect(textsOf(await explainRequest(context, 'request-1'))).toContain(`, made by ${rig.owner.accountId}`);
  });

  test('of a refusal names the revoked node and who revoked it; a later revocation is told as later', async () => {
    const { rig, ledger, context } = await rigWithLedger();
    const visitor = await addAccount(rig, { email: 'mina@example.org' });
    const made = await makeLink(rig);
    const claimed = await claimLink(context, visitor, made.presentation, 'request-1');
    const member = 'memberId' in claimed ? claimed.memberId : '';
    const before = await rig.store.readPosition();
    await revokeLink(context, rig.owner, made.link.id, null);
    const after = await rig.store.readPosition();
    const token = {
      type: 'pass' as const,
      key: 'k1',
      sub: visitor.accountId,
      grant: member,
      nodes: [visitor.accountId, made.link.id, member],
      expiresAt: seconds + 60,
    };
    ledger.append(record('allowed', { holder: token, nodes: token.nodes, position: before }));
    const refusal = { outcome: 'deny', reason: 'token-revoked', status: 401, presented: [token] } as const;
    ledger.append(record('refused', { ...refusal, position: after }));

    const refused = await explainRequest(context, 'refused');
    expect(refused).toMatchObject({ kind: 'found', record: { reason: 'token-revoked' } });
    expect(textsOf(refused)).toContain('something that the token hangs on was revoked (token-revoked)');
    expect(textsOf(refused)).toContain(`presented: a pass of ${visitor.accountId}, signed by key k1`);
    expect(textsOf(refused)).toContain(`this link was revoked by ${rig.owner.accountId}`);
    expect(textsOf(refused)).toMatch(new RegExp(`${made.link.id} revoked \\(place \\d+`));
    expect(textsOf(await explainRequest(context, 'allowed'))).toContain('revoked, after this was decided');
  });

  test('never contains the secret of a link, and does not repeat a wrong pair', async () => {
    const { rig, ledger, context } = await rigWithLedger();
    const visitor = await addAccount(rig);
    const made = await makeLink(rig);
    await claimLink(context, visitor, made.presentation, 'request-1');
    await claimLink(context, visitor, { ...made.presentation, key: 'ak_typed-by-somebody' }, 'request-2');
    await ledger.find('none');
    const text = names()
      .map((name) => readFileSync(join(folder, 'decisions', name), 'utf8'))
      .join('');
    expect(text).toContain('"outcome":"wrong-pair"');
    expect(text).not.toContain('typed-by-somebody');
    expect(text).not.toContain(made.presentation.token.split('.')[1]);
  });

  test('of an unknown request id is a hint', async () => {
    const { context } = await rigWithLedger();
    expect(await explainRequest(context, 'nobody-1')).toMatchObject({ kind: 'not-found' });
    expect(await explainRequest(context, '')).toMatchObject({ kind: 'not-found' });
    expect(await explainRequest(context, 'x'.repeat(300))).toMatchObject({ kind: 'not-found' });
  });
});
