// Representations of keys on the way that they are for: made by control on a real store, and shown to a real edge, which verifies them with no
// look-up. Each kind opens what the key opens and nothing else; whatever the key hangs on ends them; uses are counted exactly.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { qrPng } from '../../../gateway/api/look/qr-code.ts';
import { createPublicServer } from '../../../gateway/api/public-server.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import type { Actor } from '../../../gateway/control/context/control-context.ts';
import { removeKey } from '../../../gateway/control/keys/remove-key.ts';
import { withdrawCredential } from '../../../gateway/control/keys/withdraw-credential.ts';
import {
  listMyRepresentations,
  listRepresentationsOfShare,
  revokeRepresentation,
} from '../../../gateway/control/representations/my-representations.ts';
import { representKey } from '../../../gateway/control/representations/represent-key.ts';
import { endOtherSessions } from '../../../gateway/control/sessions/my-sessions.ts';
import { recordSeen } from '../../../gateway/control/sessions/record-seen.ts';
import { acceptShare } from '../../../gateway/control/sharing/accept-share.ts';
import { endShare } from '../../../gateway/control/sharing/end-share.ts';
import { requestShare } from '../../../gateway/control/sharing/request-share.ts';
import { type RepresentationKind, representationKinds } from '../../../gateway/core/model/share.ts';
import { decodeUnverified } from '../../../gateway/core/token/common-key-token.ts';
import { findShare, insertShare } from '../../../gateway/store/sharing/shares.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';
import { addKey, keyYaml, type OfferRig, signInAs } from '../../support/rigs/offer-rig.ts';

const origin = { requestId: 'request-2', clientAddress: '198.51.100.9' };
const operator = { kind: 'operator' } as const;
const password = 'tall ships sail at dawn';

type AccountActor = Extract<Actor, { kind: 'account' }>;

interface Site extends TestContext, OfferRig {
  readonly edges: readonly MemberRig[];
  readonly ask: (target: string, fields?: readonly string[], method?: string, edge?: number) => Promise<RawResponse>;
  readonly make: (actor: AccountActor, kind: RepresentationKind) => ReturnType<typeof representKey>;
  /** An account with the password, signed in; it holds the key, by a share with these terms. */
  readonly holder: (
    email: string,
    terms?: Parameters<OfferRig['offer']>[1],
  ) => Promise<{ readonly actor: AccountActor; readonly shareId: string }>;
  /** Waits until the edges act on what the store holds. */
  readonly settle: () => Promise<void>;
}

async function makeSite(edges = 1): Promise<Site> {
  const site = await makeContext({ yaml: keyYaml });
  // tokens are shown to edges, whose clock is the machine's
  site.clock.now = epochSeconds();
  site.configure((config) => ({
    ...config,
    sharing: { ...config.sharing, invite: 'anyone', reshareDepth: 2 },
    collections: config.collections.map((collection) => ({ ...collection, methods: ['GET'] })),
    routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
  }));
  const folder = mkdtempSync(join(tmpdir(), 'lk-rp-'));
  const secretFile = join(folder, 'content.secret');
  writeFileSync(secretFile, site.secrets.content, { mode: 0o600 });
  const rigs = await Promise.all(
    Array.from({ length: edges }, () =>
      MemberRig.start({
        changes: site.store,
        visitors: () => createPublicServer(site.context, { assertionKeys: () => [] }),
        config: {
          common_keys: [{ id: 'content-1', secret_file: secretFile, state: 'signing' }],
          // no tokens of others there: passes alone
          routes: [
            { name: 'vod', path: '/vod/', upstream: 'media', accept: ['member'] },
            { name: 'club', path: '/club/', upstream: 'media', accept: ['session'] },
          ],
        },
      }),
    ),
  );
  onTestFinished(async () => {
    await Promise.all(rigs.map((rig) => rig.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  const key = await addKey(site);
  const rigOf = (at: number): MemberRig => {
    const rig = rigs[at];
    if (rig === undefined) throw new Error('a site has an edge');
    return rig;
  };
  return {
    ...{ ...site, ...key, edges: rigs },
    ask: (target, fields = [], method = 'GET', edge = 0) =>
      askRaw(rigOf(edge).gateway.port, requestText(method, target, ['Host: media.localhost:8080', ...fields])),
    make: (actor, kind) => representKey(site.context, actor, { keyId: key.keyId, kind, origin }),
    holder: async (email, terms) => {
      await createAccount(site.context, operator, { email, invited: false, password });
      const { shareId, secret } = await key.offer(email, terms);
      const asked = await requestShare(site.context, {
        ...{ shareId, secret, actor: null, held: [], wants: 'any', origin },
      });
      if (asked.kind !== 'requested') throw new Error(asked.kind);
      const proof = { kind: 'password', password } as const;
      const accepted = await acceptShare(site.context, { ...browser, request: asked.request, proof });
      if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
      return { actor: await signInAs(site, email, password), shareId };
    },
    settle: async () => {
      const position = await site.store.readPosition();
      await Promise.all(rigs.map((rig) => rig.gateway.control.confirm(position)));
    },
  };
}

/** What a representation carries, as text. Throws when none was made. */
function carriedBy(made: Awaited<ReturnType<typeof representKey>>): string {
  if (made.kind !== 'made') throw new Error(made.kind);
  return made.carried.form === 'token' ? made.carried.token : made.carried.url;
}

const bearer = (token: string) => [`Authorization: Bearer ${token}`];

/** Path and query of an address. */
function targetOf(url: string): string {
  const { pathname, search } = new URL(url);
  return `${pathname}${search}`;
}

async function openOnce(site: Site, url: string): Promise<RawResponse> {
  const page = await site.ask(targetOf(url), ['Accept: text/html', 'Sec-Fetch-Mode: navigate']);
  if (page.status !== 200) return page;
  const token = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
  const cookies = page.all('Set-Cookie').map((line) => line.split(';', 1)[0] ?? '');
  const code = new URL(url).searchParams.get('code') ?? '';
  const body = new URLSearchParams({ form_token: token, code }).toString();
  const fields = [
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    'Sec-Fetch-Site: same-origin',
    'Origin: http://media.localhost:8080',
    ...(cookies.length === 0 ? [] : [`Cookie: ${cookies.join('; ')}`]),
  ];
  const [edge] = site.edges;
  const head = requestText('POST', '/.latchkey/key', ['Host: media.localhost:8080', ...fields]);
  return askRaw(edge?.gateway.port ?? 0, `${head}${body}`);
}

test('each kind opens what the key opens through the edge, and nothing else', async () => {
  const site = await makeSite();
  const { actor, shareId } = await site.holder('anna@example.org');
  const status = async (target: string, fields: readonly string[] = [], method = 'GET') =>
    (await site.ask(target, fields, method)).status;

  const token = carriedBy(await site.make(actor, 'bearer'));
  expect(carriedBy(await site.make(actor, 'header')).split('.')).toHaveLength(3);
  expect([await status('/vod/summer/a.mp4'), await status('/vod/summer/a.mp4', bearer(token))]).toEqual([401, 200]);
  expect([await status('/vod/other/a.mp4', bearer(token)), await status('/club/a', bearer(token))]).toEqual([403, 401]);
  expect(await status('/vod/summer/a.mp4', [...bearer(token), 'Content-Length: 0'], 'POST')).toBe(403);
  const elsewhere = requestText('GET', '/vod/summer/a.mp4', ['Host: other.localhost', ...bearer(token)]);
  expect((await askRaw(site.edges[0]?.gateway.port ?? 0, elsewhere)).status).toBe(403);

  const path = carriedBy(await site.make(actor, 'path_url'));
  expect(path).toMatch(/^http:\/\/media\.localhost:8080\/\.t\/[\w.-]+\/vod\/summer\/$/);
  expect(await status(targetOf(path))).toBe(200);

  // what an edge reports of it is the last use of the share
  const { sessionId: session, deviceId: device } = actor;
  await recordSeen(site.context, [{ session, device, member: shareId, at: site.clock.now }]);
  expect((await findShare(site.store.sql, shareId))?.last_used_at).toBe(site.clock.now);

  const url = carriedBy(await site.make(actor, 'url'));
  // a preview looks, a camera looks ahead, a scanner posts without a form: the address still opens afterwards
  for (let look = 0; look < 3; look++) expect(await status(targetOf(url), ['Accept: text/html'])).toBe(200);
  expect(await status('/.latchkey/key', ['Content-Length: 0'], 'POST')).toBeGreaterThanOrEqual(400);
  const opened = await openOnce(site, url);
  expect([opened.status, opened.header('Location')]).toEqual([303, '/vod/summer/']);
  const cookie = `Cookie: latchkey_pass=${passOf(opened)}`;
  expect([await status('/vod/summer/', [cookie]), await status('/vod/other/', [cookie])]).toEqual([200, 403]);
  expect((await openOnce(site, url)).status).toBe(410);

  // the whole chain stands in it, and no account but the holder's
  const claims = decodeUnverified(token)?.claims;
  expect(claims).toMatchObject({
    grant: shareId,
    sub: actor.accountId,
    sid: actor.sessionId,
    paths: ['/vod/summer/*'],
    methods: ['GET'],
  });
  const nodes = typeof claims === 'object' && claims !== null && 'n' in claims ? claims.n : [];
  expect(nodes).toEqual(
    expect.arrayContaining([actor.accountId, actor.sessionId, shareId, site.keyId, site.credentialId, 'co_summer']),
  );
  expect(nodes).not.toContain(site.owner.accountId);

  // the owner of the credential carries an own key, a stranger nothing
  expect(await status('/vod/summer/a', bearer(carriedBy(await site.make(site.owner, 'bearer'))))).toBe(200);
  await createAccount(site.context, operator, { email: 'eve@example.org', invited: false, password });
  const eve = await signInAs(site, 'eve@example.org', password);
  for (const kind of representationKinds) expect(await site.make(eve, kind)).toEqual({ kind: 'not-found' });
});

test('the picture of a one-time address reads as that address, by a decoder of others', async () => {
  const site = await makeSite();
  const { actor } = await site.holder('anna@example.org');
  const wasm = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm');
  await prepareZXingModule({
    overrides: { wasmBinary: new Uint8Array(readFileSync(wasm)).buffer },
    fireImmediately: true,
  });
  const url = carriedBy(await site.make(actor, 'qr_png'));
  const [read] = await readBarcodes(new Uint8Array(await qrPng(url)), { formats: ['QRCode'] });
  expect(read?.text).toBe(url);
  const opened = await openOnce(site, read?.text ?? '');
  expect((await site.ask('/vod/summer/a', [`Cookie: latchkey_pass=${passOf(opened)}`])).status).toBe(200);
});

test('whatever the key hangs on ends it at the edge, and so does its own end', async () => {
  const site = await makeSite();
  const { actor: anna, shareId: above } = await site.holder('anna@example.org', { reshareDepth: 1 });
  const { actor: ben, shareId: below } = await site.holder('ben@example.org', { by: anna });
  const opens = async (token: string) => (await site.ask('/vod/summer/a', bearer(token))).status;
  const token = async (actor: AccountActor) => carriedBy(await site.make(actor, 'bearer'));

  const [one, other] = [await site.make(ben, 'bearer'), await token(ben)];
  const [, listed] = await listMyRepresentations(site.context, ben, site.keyId);
  if (one.kind !== 'made' || listed === undefined) throw new Error(one.kind);
  expect(await listRepresentationsOfShare(site.context, site.owner, below)).toHaveLength(2);
  expect(await listRepresentationsOfShare(site.context, ben, above)).toBeNull();
  const stranger = await site.holder('cleo@example.org');
  expect(await revokeRepresentation(site.context, stranger.actor, one.id, origin)).toEqual({ kind: 'not-found' });
  expect(await revokeRepresentation(site.context, anna, one.id, origin)).toMatchObject({
    kind: 'revoked',
    wasLive: true,
  });
  expect(await revokeRepresentation(site.context, ben, one.id, origin)).toMatchObject({
    kind: 'revoked',
    wasLive: false,
  });
  await site.settle();
  expect([await opens(carriedBy(one)), await opens(other)]).toEqual([401, 200]);

  // stopping the share above ends what hangs below, and going on makes new ones, not the old ones
  await endShare(site.context, site.owner, { shareId: above, event: 'disable', origin });
  await site.settle();
  expect([await opens(other), (await site.make(ben, 'bearer')).kind]).toEqual([401, 'not-found']);
  await endShare(site.context, site.owner, { shareId: above, event: 'enable', origin });
  await site.settle();
  const again = await token(ben);
  expect([await opens(other), await opens(again)]).toEqual([401, 200]);

  // a one-time address that was not opened yet ends with its chain, and is not spent by the try
  const url = carriedBy(await site.make(ben, 'url'));
  await endShare(site.context, site.owner, { shareId: above, event: 'revoke', origin });
  await site.settle();
  expect([await opens(again), (await openOnce(site, url)).status]).toEqual([401, 410]);

  const [cleos, owners] = [await token(stranger.actor), await token(site.owner)];
  await endOtherSessions(site.context, await signInAs(site, 'cleo@example.org', password));
  await site.settle();
  expect([await opens(cleos), await opens(owners)]).toEqual([401, 200]);
  const cleo = await signInAs(site, 'cleo@example.org', password);
  const late = await token(cleo);
  await removeKey(site.context, operator, site.keyId, origin);
  await site.settle();
  expect([await opens(late), await opens(owners)]).toEqual([401, 401]);
  expect((await site.make(site.owner, 'bearer')).kind).toBe('not-found');
  expect((await withdrawCredential(site.context, operator, site.credentialId, origin)).kind).toBe('ended');
});

test('a share with two uses: of twenty at once, shown to two edges, two are made; what is refused spends none', async () => {
  const site = await makeSite(2);
  const { actor, shareId } = await site.holder('anna@example.org', { usesAllowed: 2 });
  const usesLeft = async () => (await findShare(site.store.sql, shareId))?.uses_left;
  // while nothing can be made, nothing is spent
  const { routes } = site.context.config();
  site.configure((config) => ({ ...config, routes: [] }));
  expect([await site.make(actor, 'bearer'), await usesLeft()]).toEqual([{ kind: 'no-pass' }, 2]);
  site.configure((config) => ({ ...config, routes }));

  const made = await Promise.all(Array.from({ length: 20 }, () => site.make(actor, 'bearer')));
  const tokens = made.filter((each) => each.kind === 'made').map(carriedBy);
  expect(tokens).toHaveLength(2);
  expect(made.filter(({ kind }) => kind === 'used-up')).toHaveLength(18);
  expect(await usesLeft()).toBe(0);
  await site.settle();
  for (const edge of [0, 1]) {
    for (const token of tokens) {
      expect((await site.ask('/vod/summer/a', bearer(token), 'GET', edge)).status).toBe(200);
    }
  }
});

test('the pass of a key that was shared on six times names all of them, and ends with any of them', async () => {
  const site = await makeSite();
  const { actor, shareId } = await site.holder('anna@example.org');
  const above = Array.from({ length: 6 }, (_, depth) => `sh_above00000000000000000${depth}`);
  await site.store.write(async ({ sql }) => {
    const leaf = await findShare(sql, shareId);
    if (leaf === null) throw new Error('there is a share');
    for (const [depth, id] of above.entries()) {
      // what the giver of the one below got: the account is another one
      const parent_id = above[depth - 1] ?? null;
      await insertShare(sql, {
        ...leaf,
        id,
        parent_id,
        depth,
        creation_digest: null,
        account_id: site.owner.accountId,
      });
    }
    const under = { parent_id: above[5] ?? null, depth: 6 };
    await sql.updateTable('shares').set(under).where('id', '=', shareId).execute();
  });
  const token = carriedBy(await site.make(actor, 'bearer'));
  const claims = decodeUnverified(token)?.claims;
  expect(claims).toMatchObject({ n: expect.arrayContaining([...above, shareId, site.keyId, site.credentialId]) });
  await site.settle();
  const opens = async () => (await site.ask('/vod/summer/a', bearer(token))).status;
  expect(await opens()).toBe(200);
  await endShare(site.context, operator, { shareId: above[3] ?? '', event: 'revoke', origin });
  await site.settle();
  expect([await opens(), (await site.make(actor, 'bearer')).kind]).toEqual([401, 'not-found']);
});

test('the pass of a representation is not renewed, and ends within its hour and with the share', async () => {
  const site = await makeSite();
  const soon = site.clock.now + 600;
  const { actor } = await site.holder('anna@example.org', { usableUntilAt: soon });
  const made = await site.make(actor, 'bearer');
  const claims = decodeUnverified(carriedBy(made))?.claims;
  expect(claims).toMatchObject({ exp: soon - site.context.config().tokens.clockSkewSeconds });
  const url = carriedBy(await site.make(actor, 'url'));
  site.clock.now = soon;
  expect([(await openOnce(site, url)).status, (await site.make(actor, 'url')).kind]).toEqual([410, 'not-found']);
});
