// A route's policy in the configuration: what loads, and what is refused with its place and a hint.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigFolder, minimalYaml, yamlWithRoute } from '../../support/rigs/config-folder.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = new ConfigFolder();
});
afterEach(() => folder.remove());

const route = (fields: string, accept = 'token') => yamlWithRoute(`path: /, accept: [${accept}], ${fields}`);

test('every key of a policy can be set', () => {
  const loaded = folder.config(
    route(`encoded_slash: keep,
      request: { set: { X-WEBAUTH-USER: "{sub}", X-B: "{{1}} {host}" }, remove: [X-C, Cookie] },
      response: { set: { X-A: "1; b" }, remove: [Server], security_headers: strict, cache: shared },
      cors: { origins: ["HTTPS://App.example.org:443", "https://*.example.org:8443"], methods: [PUT], headers: [X-B],
        expose: [X-C], credentials: true, max_age: 1h },
      rate_limit: [{ by: address, rate: 10/s, burst: 20 }, { by: subject, rate: 100/m }, { by: token, rate: 1000/h }]`),
  );
  expect(loaded.routes[0]).toMatchObject({
    encodedSlash: 'keep',
    request: { set: { 'X-WEBAUTH-USER': '{sub}', 'X-B': '{{1}} {host}' }, remove: ['X-C', 'Cookie'], keep: [] },
    response: { set: { 'X-A': '1; b' }, remove: ['Server'], securityHeaders: 'strict', cache: 'shared' },
    cors: {
      origins: ['https://app.example.org', 'https://*.example.org:8443'],
      methods: ['PUT'],
      headers: ['X-B'],
      expose: ['X-C'],
      credentials: true,
      maxAgeSeconds: 3600,
    },
    rateLimits: [
      { by: 'address', count: 10, perSeconds: 1, burst: 20 },
      { by: 'subject', count: 100, perSeconds: 60, burst: 100 },
      { by: 'token', count: 1000, perSeconds: 3600, burst: 1000 },
    ],
  });
});

test('a configuration crosses to the edges as JSON without losing any of it', () => {
  const loaded = folder.config(route('response: { set: { X-A: b } }, cors: { origins: ["*"] }'));
  expect(JSON.parse(JSON.stringify(loaded.routes))).toEqual(loaded.routes);
});

describe('an invalid policy', () => {
  test.each([
    [
      'request: { set: { Content-Length: "1" } }',
      'routes[0].request.set.Content-Length: header "Content-Length" frames',
    ],
    ['request: { remove: [connection] }', 'routes[0].request.remove[0]: header "connection" frames'],
    ['request: { set: { Sec-WebSocket-Key: a } }', 'routes[0].request.set.Sec-WebSocket-Key: header'],
    ['request: { set: { Host: a.example } }', 'routes[0].request.set.Host: header "Host" is latchkey\'s own to say'],
    ['request: { set: { X-Forwarded-For: a } }', 'routes[0].request.set.X-Forwarded-For: header'],
    ['request: { set: { x-request-id: a } }', 'routes[0].request.set.x-request-id: header'],
    ['request: { set: { Proxy: a } }', 'routes[0].request.set.Proxy: header "Proxy" is'],
    ['request: { remove: [Via] }', 'routes[0].request.remove[0]: header "Via" is'],
    [
      'request: { set: { Remote-User: "{sub}" } }',
      'routes[0].request.set.Remote-User: header "Remote-User" is one of the names that say who asks (use identity: { custom',
    ],
    ['request: { set: { X-Latchkey-A: a } }', 'routes[0].request.set.X-Latchkey-A: header'],
    ['request: { set: { Authorization: a } }', 'routes[0].request.set.Authorization: header "Authorization" carries'],
    ['request: { set: { "X A": a } }', 'routes[0].request.set["X A"]: "X A" is not a header name'],
    ['request: { set: { X-A: "a\\r\\nX-B: c" } }', 'routes[0].request.set.X-A: holds a line end'],
    ['request: { set: { X-A: "" } }', 'routes[0].request.set.X-A: is empty'],
    [
      'request: { set: { X-A: "{subs}" } }',
      'routes[0].request.set.X-A: unknown placeholder {subs} (did you mean "sub"?)',
    ],
    ['request: { set: { X-A: "{sub" } }', 'routes[0].request.set.X-A: has a brace that opens or closes nothing'],
    ['request: { set: { X-A: a, x-a: b } }', 'routes[0].request.set.x-a: is the same header as X-A'],
    [
      'identity: { custom: { sub: X-A } }, request: { set: { X-A: a } }',
      "routes[0].request.set.X-A: is the same header as the route's identity",
    ],
    ['request: { set: { X-A: a }, remove: [x-a] }', 'routes[0].request.remove[0]: x-a is set as well'],
    ['request: { remove: [X-A, x-a] }', 'routes[0].request.remove[1]: x-a stands here twice'],
    ['request: { keep: [CF-Connecting-IP] }', 'routes[0].request.keep[0]: nobody is trusted to send it'],
    ['request: { keep: [X-Own] }', 'routes[0].request.keep[0]: header "X-Own" is not removed anyway'],
    ['request: { keep: [X-Forwarded-For] }', 'routes[0].request.keep[0]: header "X-Forwarded-For" is latchkey'],
    ['request: { keep: [X-Original-URL] }', 'routes[0].request.keep[0]: header "X-Original-URL" says another path'],
    ['request: { keep: [Remote-User] }', 'routes[0].request.keep[0]: header "Remote-User" is latchkey'],
    [
      'response: { set: { Content-Length: "1" } }',
      'routes[0].response.set.Content-Length: header "Content-Length" frames',
    ],
    [
      'response: { set: { Content_Length: "1" } }',
      'routes[0].response.set.Content_Length: header "Content_Length" frames',
    ],
    [
      'request: { set: { Transfer_Encoding: a } }',
      'routes[0].request.set.Transfer_Encoding: header "Transfer_Encoding" frames',
    ],
    [
      'request: { set: { X_Forwarded.User: a } }',
      'routes[0].request.set["X_Forwarded.User"]: header "X_Forwarded.User" is one of',
    ],
    [
      'response: { set: { Latchkey_Token: x } }',
      'routes[0].response.set.Latchkey_Token: header "Latchkey_Token" is one of',
    ],
    ['response: { set: { connection: x } }', 'routes[0].response.set.connection: header "connection" frames'],
    ['response: { remove: [Via] }', 'routes[0].response.remove[0]: header "Via" frames'],
    ['response: { remove: [X-Request-Id] }', 'routes[0].response.remove[0]: header "X-Request-Id" frames'],
    [
      'response: { set: { Latchkey-Token: x } }',
      'routes[0].response.set.Latchkey-Token: header "Latchkey-Token" is one of',
    ],
    ['response: { set: { "X A": x } }', 'routes[0].response.set["X A"]: "X A" is not a header name'],
    ['response: { set: { X-A: "a\\r\\nX-B: c" } }', 'routes[0].response.set.X-A: holds a line end'],
    ['response: { set: { X-A: "a\\nb" } }', 'routes[0].response.set.X-A: holds a line end'],
    ['response: { set: { X-A: "a\\0" } }', 'routes[0].response.set.X-A: holds a line end'],
    ['response: { set: { X-A: "é" } }', 'routes[0].response.set.X-A: holds a line end'],
    ['response: { set: { X-A: " " } }', 'routes[0].response.set.X-A: is empty'],
    ['response: { set: { X-A: a, x-a: b } }', 'routes[0].response.set.x-a: is the same header as X-A'],
    [
      'response: { set: { Set-Cookie: a=b } }',
      'routes[0].response.set.Set-Cookie: would give every visitor one cookie',
    ],
    ['response: { set: { X-A: a }, remove: [x-a] }', 'routes[0].response.remove[0]: x-a is set as well'],
    ['response: { remove: [X-A, x-a] }', 'routes[0].response.remove[1]: x-a stands here twice'],
    [
      'response: { set: { CDN-Cache-Control: max-age=1 } }',
      'routes[0].response.set.CDN-Cache-Control: lets shared caches',
    ],
    [
      'response: { security_headers: strct }',
      'routes[0].response.security_headers: unknown preset "strct" (did you mean "strict"?)',
    ],
    ['response: { cache: publc }', 'routes[0].response.cache: unknown choice "publc"'],
    [
      'response: { remove: [Access-Control-Allow-Origin] }, cors: { origins: ["*"] }',
      "routes[0].response: names access-control-allow-origin, which the route's cors says",
    ],
    ['cors: {}', 'routes[0].cors.origins: is missing'],
    ['cors: { origins: [] }', 'routes[0].cors.origins: is empty'],
    ['cors: { origins: ["*"], credentials: true }', 'routes[0].cors.origins[0]: every site could read'],
    ['cors: { origins: ["null"] }', 'routes[0].cors.origins[0]: "null" is the origin of anything'],
    ['cors: { origins: ["https://a.example/"] }', 'routes[0].cors.origins[0]: "https://a.example/" is not an origin'],
    [
      'cors: { origins: ["https://a.example/x"] }',
      'routes[0].cors.origins[0]: "https://a.example/x" is not an origin (drop the path)',
    ],
    ['cors: { origins: ["a.example"] }', 'routes[0].cors.origins[0]: "a.example" is not an origin'],
    ['cors: { origins: ["https://*.org"] }', 'routes[0].cors.origins[0]: "https://*.org" would match'],
    ['cors: { origins: ["https://a.*.org"] }', 'routes[0].cors.origins[0]: "https://a.*.org" is not an origin'],
    ['cors: { origins: ["https://*"] }', 'routes[0].cors.origins[0]: "https://*" is not an origin'],
    ['cors: { origins: ["https://u@a.example"] }', 'routes[0].cors.origins[0]: "https://u@a.example" is not an origin'],
    [
      'cors: { origins: ["https://a.example", "https://A.example"] }',
      'routes[0].cors.origins[1]: https://a.example stands here twice',
    ],
    [
      'cors: { origins: ["*"], methods: [get] }',
      'routes[0].cors.methods[0]: "get" is not a method (write it in upper case: GET)',
    ],
    ['cors: { origins: ["*"], headers: ["*"] }', 'routes[0].cors.headers[0]: "*" is not a header name'],
    ['rate_limit: { by: address }', 'routes[0].rate_limit.rate: is missing'],
    ['rate_limit: { by: address, rate: 10 }', 'routes[0].rate_limit.rate: expected a rate like 10/s'],
    ['rate_limit: { by: address, rate: 0/s }', 'routes[0].rate_limit.rate: "0/s" is not a rate'],
    ['rate_limit: { by: address, rate: 10/d }', 'routes[0].rate_limit.rate: "10/d" is not a rate'],
    [
      'rate_limit: { by: adress, rate: 1/s }',
      'routes[0].rate_limit.by: unknown key "adress" (did you mean "address"?)',
    ],
    ['rate_limit: { by: address, rate: 1/s, burst: 0 }', 'routes[0].rate_limit.burst: 0 is too small'],
    [
      'rate_limit: [{ by: address, rate: 1/s }, { by: address, rate: 1/s }]',
      'routes[0].rate_limit[1]: is the same limit',
    ],
  ])('%s', (fields, problem) => {
    const problems = folder.problems(route(fields));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test('cannot limit by subject on a route for anyone', () => {
    expect(folder.problems(route('rate_limit: { by: subject, rate: 1/s }', 'anyone'))).toEqual([
      'routes[0].rate_limit.by: nobody has a subject on a route for anyone (count by address, or accept a credential)',
    ]);
    expect(folder.problems(route('rate_limit: { by: address, rate: 1/s }', 'anyone'))).toEqual([]);
  });
});

describe('client_address_header', () => {
  test.each(['CF-Connecting-IP', 'True-Client-IP', 'Fastly-Client-IP', 'X-Real-IP', 'X-Client-Address'])(
    '%s loads',
    (name) => {
      const yaml = `${minimalYaml}trusted_proxies: [192.0.2.0/24]\nclient_address_header: ${name}\n`;
      expect(folder.config(yaml).clientAddressHeader).toBe(name);
    },
  );

  test.each(['X-Forwarded-For', 'Cookie', 'Authorization', 'Host', 'X-Latchkey-IP', 'Remote-Addr', 'X Y-IP'])(
    '%s does not',
    (name) => {
      const yaml = `${minimalYaml}trusted_proxies: [192.0.2.0/24]\nclient_address_header: ${name}\n`;
      expect(folder.problems(yaml)).toHaveLength(1);
    },
  );

  test('needs trusted proxies that send it', () => {
    expect(folder.problems(`${minimalYaml}client_address_header: CF-Connecting-IP\n`)).toEqual([
      'client_address_header: nobody is trusted to send it (list the proxies that set it under trusted_proxies; from anybody else it is not believed)',
    ]);
  });
});
