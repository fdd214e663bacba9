// The JSON API: who may ask, from where, and with what; the OpenAPI document; and the same endpoints for the operator.

import { expect, test } from 'vitest';
import { createOperatorServer } from '../../../gateway/api/operator-server.ts';
import { endpoints } from '../../../gateway/api/v1/endpoints.ts';
import { makePortal, mediaOrigin, portalOrigin } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';

test('every endpoint is in the OpenAPI 3.1 document, and every path of the document is served', async () => {
  const portal = await makePortal();
  const visitor = portal.visitor();
  const answer = await visitor.json('GET', '/.latchkey/v1/openapi.json');
  const document = JSON.parse(answer.text);
  expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: `${portalOrigin}/.latchkey/v1` }] });
  const described = Object.entries<Record<string, { operationId: string; summary: string; responses: object }>>(
    document.paths,
  )
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
  const registered = endpoints.map(({ method, path }) => `${method} /${path.replace(/:(\w+)/g, '{$1}')}`).sort();
  expect(described).toEqual(registered);
  const operations = Object.values<Record<string, { operationId: string; summary: string }>>(document.paths).flatMap(
    Object.values,
  );
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  expect(operations.filter(({ summary }) => !/^[A-Z].*[^.]$/.test(summary))).toEqual([]);
  for (const { method, path } of endpoints) {
    const { status } = await visitor.json(
      method,
      `/.latchkey/v1/${path.replace(/:\w+/g, 'none')}`,
      // refused before an endpoint looks for what its path names
      method === 'GET' ? undefined : { no_such_member: 1 },
    );
    expect([method, path, status]).not.toEqual([method, path, 404]);
  }
  // each reference leads somewhere, and each parameter of a path is described
  for (const [, reference = ''] of answer.text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    expect(reference.split('/').reduce((at, name) => at?.[name], document)).toBeTypeOf('object');
  }
  for (const [path, methods] of Object.entries<Record<string, { parameters: { name: string; in: string }[] }>>(
    document.paths,
  )) {
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters } of Object.values(methods)) {
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(wanted);
    }
  }
});

test('the signing keys are at common-keys, and at no other path', async () => {
  const portal = await makePortal();
  await portal.addAccount(email, 'admin');
  const admin = portal.visitor();
  await admin.signIn(email);
  expect(
    endpoints
      .filter(({ path }) => /^(common-|signing-)?keys\b/.test(path))
      .map(({ method, path }) => `${method} ${path}`),
  ).toEqual([
    'GET common-keys',
    'POST common-keys',
    'POST common-keys/:key/promote',
    'POST common-keys/:key/retire',
    'POST common-keys/:key/export',
  ]);
  expect((await admin.json('GET', '/.latchkey/v1/common-keys')).status).toBe(200);
  expect((await admin.json('GET', '/.latchkey/v1/keys')).status).toBe(404);
});

test('v1 is snake_case throughout, and no body may have members that are not described', async () => {
  const portal = await makePortal();
  const document = JSON.parse((await portal.visitor().json('GET', '/.latchkey/v1/openapi.json')).text);
  const names: string[] = [];
  const open: string[] = [];
  walk(document, 'document', (node, where) => {
    const { properties, parameters, requestBody } = node;
    if (isObject(properties)) names.push(...Object.keys(properties));
    if (Array.isArray(parameters)) names.push(...parameters.map(({ name }) => String(name)));
    if (isObject(requestBody)) {
      walk(requestBody, where, (schema, at) => {
        if (schema.type === 'object' && schema.additionalProperties !== false) open.push(at);
      });
    }
  });
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
  expect(open).toEqual([]);
});

/** Every object of a document, with its JSON path. */
function walk(node: unknown, where: string, see: (node: Record<string, unknown>, where: string) => void): void {
  if (isObject(node)) see(node, where);
  if (typeof node !== 'object' || node === null) return;
  for (const [name, value] of Object.entries(node)) walk(value, `${where}.${name}`, see);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test('an endpoint takes the portal’s session cookie only: no bearer, no other host’s session, no other host', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const ann = portal.visitor();
  await ann.signIn(email);
  expect(JSON.parse((await ann.json('GET', '/.latchkey/v1/me')).text)).toMatchObject({ email, role: 'user' });
  const token = ann.cookies.get('portal.localhost')?.get('latchkey') ?? '';
  const bearer = await portal
    .visitor()
    .json('GET', '/.latchkey/v1/me', undefined, { authorization: `Bearer ${token}` });
  expect(bearer.status).toBe(401);
  const elsewhere = await portal
    .visitor()
    .json('GET', `${mediaOrigin}/.latchkey/v1/me`, undefined, { cookie: `latchkey=${token}` });
  expect(elsewhere.status).toBe(404);
});

test('attack: cross-site changes are refused; same origin or the form token is proof', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const ann = portal.visitor();
  await ann.signIn(email);
  const rename = (headers: Record<string, string | undefined>): Promise<number> =>
    ann.json('PATCH', '/.latchkey/v1/me', { name: 'Ann' }, headers).then(({ status }) => status);
  const none = { 'sec-fetch-site': undefined };
  const { csrf_token } = JSON.parse((await ann.json('GET', '/.latchkey/v1/me')).text);
  expect(await rename({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await rename({ 'sec-fetch-site': 'cross-site', 'x-csrf-token': csrf_token })).toBe(403);
  expect(await rename({ ...none, origin: mediaOrigin })).toBe(403);
  expect(await rename(none)).toBe(403);
  expect(await rename({ ...none, 'x-csrf-token': 'x' })).toBe(403);
  expect(await rename({ 'content-type': 'text/plain' })).toBe(415);
  expect(await rename({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(415);
  expect(await rename({ ...none, 'x-csrf-token': csrf_token })).toBe(204);
  expect(await rename({ ...none, origin: portalOrigin })).toBe(204);
  expect(await rename({})).toBe(204);
});

test('people see their own sessions and devices; those of other accounts get 404', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  await portal.addAccount('ben@example.org');
  const [ann, ben] = [portal.visitor(), portal.visitor()];
  await ann.signIn(email);
  await ben.signIn('ben@example.org');
  const { sessions } = JSON.parse((await ben.json('GET', '/.latchkey/v1/sessions')).text);
  const { devices } = JSON.parse((await ben.json('GET', '/.latchkey/v1/devices')).text);
  expect([sessions.length, devices.length]).toEqual([1, 1]);
  expect((await ann.json('DELETE', `/.latchkey/v1/sessions/${sessions[0].id}`)).status).toBe(404);
  expect((await ann.json('DELETE', `/.latchkey/v1/devices/${devices[0].id}`)).status).toBe(404);
  expect((await ann.json('GET', '/.latchkey/v1/accounts')).status).toBe(403);
  expect((await ben.json('PATCH', `/.latchkey/v1/devices/${devices[0].id}`, { name: 'Kitchen' })).status).toBe(204);
  expect((await ben.json('DELETE', `/.latchkey/v1/devices/${devices[0].id}`)).status).toBe(204);
  expect((await ben.json('GET', '/.latchkey/v1/me')).status).toBe(401);
});

test('endpoints for administrators answer 403 to other accounts and 401 to visitors without a session, before they read anything', async () => {
  const portal = await makePortal();
  await portal.addAccount(email);
  const [ann, nobody] = [portal.visitor(), portal.visitor()];
  await ann.signIn(email);
  const ask = async (visitor: typeof ann, method: string, path: string) => {
    const body = method === 'GET' ? undefined : {};
    const answer = await visitor.json(method, `/.latchkey/v1/${path.replace(/:\w+/g, 'none')}`, body);
    return [method, path, answer.status, JSON.parse(answer.text).reason];
  };
  const forAdmins = endpoints.filter(({ who }) => who === 'admin');
  expect(forAdmins.length).toBeGreaterThan(10);
  for (const { method, path } of forAdmins) {
    expect(await ask(ann, method, path)).toEqual([method, path, 403, 'not-admin']);
    expect(await ask(nobody, method, path)).toEqual([method, path, 401, 'not-signed-in']);
  }
});

test('bad input gets 400 and names the place; each error is a problem document with a code for programs', async () => {
  const portal = await makePortal();
  await portal.addAccount(email, 'admin');
  const ann = portal.visitor();
  await ann.signIn(email);
  const answer = await ann.json('POST', '/.latchkey/v1/accounts', { email: 5 });
  expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json']);
  expect(JSON.parse(answer.text)).toMatchObject({
    status: 400,
    reason: 'bad-input',
    detail: expect.stringContaining('email'),
  });
  expect(JSON.parse((await ann.json('POST', '/.latchkey/v1/accounts', { email })).text)).toMatchObject({
    reason: 'exists',
  });
  const made = await ann.json('POST', '/.latchkey/v1/accounts', { email: 'eve@example.org' });
  // an administrator invites, and never holds somebody else's way in
  expect([made.status, JSON.parse(made.text).invitation_url]).toEqual([201, null]);
  expect((await portal.mailedCode('eve@example.org', 'invitation')).length).toBeGreaterThan(20);
});

test('the operator uses the same endpoints without a cookie, and gets one-time links to hand over', async () => {
  const portal = await makePortal();
  const operator = createOperatorServer(portal.context);
  const made = await operator.inject({ method: 'POST', url: '/v1/accounts', payload: { email, role: 'admin' } });
  expect(made.statusCode).toBe(201);
  expect(made.json().invitation_url).toMatch(/^http:\/\/portal\.localhost:8080\/\.latchkey\/invitation\?code=[\w.-]+$/);
  const listed = await operator.inject('/v1/accounts');
  expect(listed.json().accounts).toMatchObject([{ email, is_verified: false, role: 'admin' }]);
  expect((await operator.inject('/v1/me')).json()).toMatchObject({ reason: 'not-an-account' });
  const newest = (await operator.inject('/v1/audit')).json().entries;
  expect(newest.length).toBeGreaterThan(0);
  const begun = await operator.inject({ method: 'POST', url: '/v1/audit/exports', payload: { since_at: 1 } });
  expect([begun.statusCode, begun.json()]).toEqual([201, { through: newest[0].position + 1 }]);
  const oldest = (await operator.inject('/v1/audit?after=0&limit=500&since_at=1')).json();
  expect(oldest).toEqual({
    entries: [...newest.toReversed(), expect.objectContaining({ action: 'audit.exported', details: { since_at: 1 } })],
    next: null,
  });
  expect((await operator.inject('/v1/audit?after=0&until_at=1')).json()).toEqual({ entries: [], next: null });
  expect((await operator.inject('/v1/audit?after=0&before=9')).json()).toMatchObject({
    status: 400,
    reason: 'bad-input',
  });
  for (const path of ['/.latchkey/login', '/.latchkey/v1/accounts', '/.latchkey/jwks.json', '/v1/none']) {
    expect([path, (await operator.inject(path)).statusCode]).toEqual([path, 404]);
  }
  // and nothing of it is on public.sock: a path outside the reserved prefix presents a link, and this one presents none
  expect((await portal.visitor().json('GET', '/v1/accounts')).status).toBe(403);
  await operator.close();
});
