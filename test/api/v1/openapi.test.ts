// The OpenAPI document as a script's author reads it: valid by the specification's own schema, with a text for each name, with reasons and
// limits as they are enforced. And what a script meets beside the endpoints: wrong methods, bodies that cannot be read, moments as texts.

import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { refusalReasons } from '../../../gateway/api/serve/refusal-reasons.ts';
import { endpoints } from '../../../gateway/api/v1/endpoints.ts';
import { maxClaimsAllowed, maxLabelLength } from '../../../gateway/core/model/link.ts';
import { makePortal, portalOrigin, type Visitor } from '../../support/rigs/portal-rig.ts';

const owner = 'owner@example.org';
const link = { collection: 'summer', label: 'for you' };

async function makeOwner(): Promise<Visitor> {
  const portal = await makePortal();
  await portal.addAccount(owner);
  const visitor = portal.visitor();
  await visitor.signIn(owner);
  return visitor;
}

async function readDocument() {
  const portal = await makePortal();
  return JSON.parse((await portal.visitor().json('GET', '/.latchkey/v1/openapi.json')).text);
}

test('the document is valid OpenAPI 3.1 by the schema of the specification', async () => {
  const result = await new Validator().validate(await readDocument());
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
});

test('every operation, parameter and member has a text that says what it is', async () => {
  const bare: string[] = [];
  let seen = 0;
  const visit = (node: unknown, where: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, parameters, summary } = node as Record<string, unknown>;
    const named = [
      ...(typeof properties === 'object' && properties !== null ? Object.entries(properties) : []),
      ...(Array.isArray(parameters) ? parameters.map((one) => [String(one.name ?? one.$ref), one]) : []),
    ];
    for (const [name, { description, $ref }] of named) {
      seen += 1;
      if ($ref === undefined && (typeof description !== 'string' || description === '')) bare.push(`${where}: ${name}`);
    }
    if ('operationId' in node && typeof summary !== 'string') bare.push(where);
    for (const [name, value] of Object.entries(node)) visit(value, `${where} ${name}`);
  };
  visit(await readDocument(), '');
  expect(seen).toBeGreaterThan(200);
  expect(bare).toEqual([]);
});

test('the document names the reasons, the limits as enforced, the cookie and what Origin has to be', async () => {
  const document = await readDocument();
  expect(document.components.schemas.Problem.properties.reason.enum).toEqual([...refusalReasons]);
  const { properties } = document.paths['/links'].post.requestBody.content['application/json'].schema;
  expect(properties.label).toMatchObject({ minLength: 1, maxLength: maxLabelLength });
  expect(properties.claims_allowed).toMatchObject({ minimum: 1, maximum: maxClaimsAllowed });
  expect(document.components.securitySchemes.session.name).toBe('latchkey');
  expect(document.components.parameters.Origin.schema.const).toBe(portalOrigin);
  const secure = await makePortal({ publicUrl: 'https://portal.example.org' });
  const answer = await secure.visitor().json('GET', 'https://portal.example.org/.latchkey/v1/openapi.json');
  expect(JSON.parse(answer.text).components.securitySchemes.session.name).toBe('__Host-latchkey');
});

test('a value at a limit of the document is taken, and one past it is refused with words', async () => {
  const visitor = await makeOwner();
  const make = (more: object) => visitor.json('POST', '/.latchkey/v1/links', { ...link, ...more });
  expect((await make({ label: 'x'.repeat(maxLabelLength), claims_allowed: maxClaimsAllowed })).status).toBe(201);
  for (const [more, reason] of [
    [{ label: 'x'.repeat(maxLabelLength + 1) }, 'bad-label'],
    [{ label: '' }, 'bad-label'],
    [{ claims_allowed: maxClaimsAllowed + 1 }, 'bad-claims'],
    [{ claims_allowed: 0 }, 'bad-claims'],
  ] as const) {
    const refused = await make(more);
    expect([refused.status, JSON.parse(refused.text).reason]).toEqual([422, reason]);
  }
});

test('RFC 9110 §15.5.6: a method that a path does not have is 405 with Allow, whatever the body is', async () => {
  const visitor = (await makePortal()).visitor();
  const byPath = Map.groupBy(endpoints, ({ path }) => path);
  for (const [path, same] of byPath) {
    const target = `/.latchkey/v1/${path.replace(/:\w+/g, 'none')}`;
    const refused = await visitor.send('PUT', target, '<x/>', { 'content-type': 'application/xml' });
    expect([path, refused.status]).toEqual([path, 405]);
    expect(refused.headers.allow).toBe(same.map(({ method }) => method).join(', '));
    expect(JSON.parse(refused.text)).toMatchObject({ reason: 'wrong-method', title: 'Method Not Allowed' });
  }
  expect((await visitor.send('POST', '/.latchkey/me', null, {})).headers.allow).toBe('GET');
});

test('every body that cannot be read is told why', async () => {
  const visitor = await makeOwner();
  const json = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
  const asked = async (body: string, headers: Record<string, string> = json) => {
    const { status, text } = await visitor.send('POST', '/.latchkey/v1/links', body, headers);
    return [status, JSON.parse(text).detail];
  };
  expect(await asked('{"label":')).toEqual([400, 'The body is not JSON.']);
  expect(await asked('')).toEqual([400, 'The media type says JSON, and the body is empty.']);
  expect(await asked('[]')).toEqual([400, expect.stringContaining('the body: ')]);
  expect(await asked(`"${'x'.repeat(70_000)}"`)).toEqual([413, 'The body is too long.']);
  const several = await asked('{"collection":7,"label":"x","nonsense":true}');
  expect(several).toEqual([400, expect.stringMatching(/the body, collection: .*; the body: .*nonsense/)]);
});

test('a moment is taken as seconds or as RFC 3339 with its offset, and answered in seconds', async () => {
  const portal = await makePortal();
  await portal.addAccount(owner);
  const visitor = portal.visitor();
  await visitor.signIn(owner);
  const end = portal.context.clock.epochSeconds() + 86_400;
  const text = new Date(end * 1000).toISOString();
  const shifted = `${new Date((end + 5400) * 1000).toISOString().slice(0, 19)}+01:30`;
  for (const said of [end, text, shifted]) {
    const made = await visitor.json('POST', '/.latchkey/v1/links', { ...link, access_until_at: said });
    expect(JSON.parse(made.text).link.access_until_at).toBe(end);
  }
  const refusals: readonly (readonly [unknown, RegExp])[] = [
    ['2026-12-24', /moment with its offset/],
    ['2026-12-24T18:00:00', /moment with its offset/],
    ['tomorrow', /moment with its offset/],
    [end * 1000, /looks like milliseconds/],
    [-1, /seconds since 1970/],
    [1.5, /seconds since 1970/],
  ];
  for (const [said, words] of refusals) {
    const refused = await visitor.json('POST', '/.latchkey/v1/links', { ...link, claim_until_at: said });
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text).detail).toMatch(words);
  }
});
