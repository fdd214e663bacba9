// The demo's web site: shows what the gateway told it about the visitor, in plain headers and in the signed assertion.
// It trusts the assertion only after verifying it against the gateway's JWKS, as a real upstream should.
// It answers with JSON when the request accepts JSON, else with a page.

import { readFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { type DemoUpstream, listenOnLoopback } from './demo-upstream.ts';
import { renderHeadersPage } from './headers-page.ts';
import type { DemoFiles } from './package-files.ts';
import type { AssertionCheck, SeenRequest } from './seen-request.ts';

interface WebUpstreamOptions {
  readonly files: DemoFiles;
  /** Where the gateway's JWKS is. `host` goes into the Host header; the connection goes to `address`. */
  readonly jwks: () => {
    readonly address: string;
    readonly host: string;
    readonly port: number;
    readonly path: string;
  };
  readonly issuer: string;
  /** The name that the gateway's configuration has for this site. */
  readonly audience: string;
}

const jwksTimeoutMs = 3000;
const maxJwksBytes = 64 * 1024;

/** Starts the site on a free loopback port. */
export function startWebUpstream(options: WebUpstreamOptions): Promise<DemoUpstream> {
  const style = readFileSync(join(options.files.pages, 'style.css'), 'utf8');
  // the URL is only a placeholder: `fetchJwks` connects to an address, since not every system resolves *.localhost
  const keys = createRemoteJWKSet(new URL('http://jwks.localhost/'), {
    timeoutDuration: jwksTimeoutMs,
    [customFetch]: () => fetchJwks(options.jwks()),
  });

  async function verifyAssertion(text: string | undefined): Promise<AssertionCheck> {
    if (text === undefined) return { kind: 'absent' };
    try {
      const { payload } = await jwtVerify(text, keys, {
        algorithms: ['EdDSA', 'Ed25519'],
        typ: 'la+jwt',
        issuer: options.issuer,
        audience: options.audience,
        requiredClaims: ['exp', 'iss', 'aud'],
      });
      return { kind: 'verified', claims: payload };
    } catch (error) {
      return { kind: 'refused', problem: error instanceof Error ? error.message : String(error) };
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen: SeenRequest = {
      method: request.method ?? '',
      target: request.url ?? '',
      user: request.headers['x-forwarded-user']?.toString() ?? null,
      assertion: await verifyAssertion(request.headers['x-latchkey-assertion']?.toString()),
      headers: pairs(request.rawHeaders),
    };
    const asksForJson = (request.headers.accept ?? '').includes('application/json');
    const body = asksForJson ? `${JSON.stringify(seen, null, 2)}\n` : renderHeadersPage(seen, style);
    response.writeHead(200, {
      'content-type': asksForJson ? 'application/json' : 'text/html; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  return listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      answer(request, response).catch(() => response.destroy());
    }),
  );
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    result.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return result;
}

/** Fetches the gateway's JWKS over HTTP, the way a site does that verifies assertions. */
function fetchJwks({ address, host, port, path }: ReturnType<WebUpstreamOptions['jwks']>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path, headers: { host }, timeout: jwksTimeoutMs }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (text.length > maxJwksBytes) answer.destroy(new Error(`the JWKS is over ${maxJwksBytes} bytes`));
      });
      answer.on('error', reject);
      answer.on('end', () => resolve(new Response(text, { status: answer.statusCode ?? 500 })));
    });
    request.on('timeout', () => request.destroy(new Error(`no JWKS within ${jwksTimeoutMs} ms`)));
    request.on('error', reject);
  });
}
