// `collections[].methods`: whatever lets an account in, the edge takes no other method there. A real edge, asked by tokens of sessions
// that stand in a real store, and control's own answers from that store.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CollectionConfig } from '../../../gateway/config/compiled/control-config.ts';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { claimLink } from '../../../gateway/control/links/claim-link.ts';
import { noteCollections } from '../../../gateway/control/links/note-collections.ts';
import { type AccountActor, addAccount, type LinkRig, makeLink, makeLinkRig } from '../../support/rigs/link-rig.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';

const wide: CollectionConfig = {
  name: 'summer',
  host: 'media.example',
  path: '/vod/summer/',
  owners: ['owner@example.org'],
  methods: null,
};
const readOnly: CollectionConfig = { ...wide, methods: ['GET', 'HEAD'] };
const place = '/vod/summer/a';

let control: LinkRig;
let edge: MemberRig;

beforeEach(async () => {
  control = await makeLinkRig('sqlite');
  control.configure({ collections: [readOnly] });
  await noteCollections(control.context);
  edge = await MemberRig.start({ changes: control.store });
  edge.answerAccess = (question) => answerAccess(control.context, question);
});

afterEach(async () => {
  await edge.close();
  await control.store.close();
});

async function cookieOf({ accountId, sessionId, deviceId, email }: AccountActor): Promise<string> {
  const { epoch, seq } = await control.store.readPosition();
  const nodes = [accountId, sessionId, deviceId];
  return edge.cookie('x', { sub: accountId, sid: sessionId, did: deviceId, email, n: nodes, v: [epoch, seq] });
}

async function statuses(cookie: string, ...methods: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const method of methods) found.push((await edge.ask(method, place, cookie, 'Content-Length: 0')).status);
  return found;
}

async function reload(...collections: readonly CollectionConfig[]): Promise<void> {
  control.configure({ collections });
  await noteCollections(control.context);
  await edge.gateway.control.confirm(await control.store.readPosition());
}

test('an owner reads in a collection for GET and HEAD, and may not write: not by the session, and not by the pass', async () => {
  const owner = await cookieOf(control.owner);
  const first = await edge.ask('GET', place, owner);
  expect(first.status).toBe(200);
  const pass = `Cookie: latchkey_pass=${passOf(first)}`;
  expect(await statuses(owner, 'HEAD', 'POST', 'DELETE', 'PUT')).toEqual([200, 403, 403, 403]);
  expect(await statuses(pass, 'GET', 'HEAD', 'POST')).toEqual([200, 200, 403]);
  expect(edge.upstream.requests.map(({ line }) => line.split(' ', 1)[0])).toEqual(['GET', 'HEAD', 'GET', 'HEAD']);
});

test('a link gives the methods that it and its collection have in common', async () => {
  const guest = await addAccount(control);
  const { presentation, link } = await makeLink(control, { methods: ['GET', 'POST'] });
  // the owner reads what members may use, and not what was asked for
  expect(link.methods).toEqual(['GET', 'HEAD']);
  expect((await claimLink(control.context, guest, presentation, 'request-1')).kind).toBe('granted');
  expect(await statuses(await cookieOf(guest), 'GET', 'HEAD', 'POST')).toEqual([200, 200, 403]);
  await reload({ ...wide, methods: ['GET', 'HEAD', 'POST', 'PUT'] });
  expect(await statuses(await cookieOf(guest), 'GET', 'POST', 'PUT')).toEqual([200, 200, 403]);
});

test('a reload that takes methods away ends a pass from before, and one that gives them back lets the session write', async () => {
  await reload(wide);
  const owner = await cookieOf(control.owner);
  const before = passOf(await edge.ask('POST', place, owner, 'Content-Length: 0'));
  const pass = `Cookie: latchkey_pass=${before}`;
  expect(await statuses(pass, 'POST', 'DELETE')).toEqual([200, 200]);
  await reload(readOnly);
  expect(await statuses(pass, 'POST', 'GET')).toEqual([401, 401]);
  expect(await statuses(owner, 'POST', 'GET')).toEqual([403, 200]);
  await reload(wide);
  expect(await statuses(owner, 'POST')).toEqual([200]);
});

test('who owns a wider folder for all methods keeps them inside a smaller collection for GET', async () => {
  await reload(readOnly, { ...wide, name: 'vod', path: '/vod/', owners: ['owner@example.org'] });
  expect(await statuses(await cookieOf(control.owner), 'POST')).toEqual([200]);
});
