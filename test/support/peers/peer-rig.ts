// Another content server that holds the common key, started for a test from a file of config/peers with its places replaced.
// Tokens come from `latchkey token mint`, as an operator makes them; nothing of latchkey runs while they are presented.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findFreePort,
  type RunningProcess,
  settle,
  startProcess,
  waitForPort,
} from '../../../bench/measure/processes.ts';
import { type KeyForm, keyText, type SharedKey } from '../../../gateway/cli/common-key/key-forms.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { RawClient, type RawResponse } from '../clients/raw-client.ts';
import { runHere } from '../run/run-here.ts';

export const peerFiles = join(import.meta.dirname, '../../../config/peers');

/** The common key that latchkey and the peer share, as text. */
export const sharedSecret = 'GvP1cBq0wYJmXn7Zt3kL9sRdH5uEaTfW2oVyQx8iCbM';

/** What `latchkey common-key export` hands over while keys change: the shared one, and one with a made id that comes after it. */
export const exportedKeys: readonly SharedKey[] = [
  { id: 'k1', secret: Buffer.from(sharedSecret) },
  { id: 'k_2nd-7.x', secret: Buffer.from('vN4hTz0bRkQ8mYxW1cLpJ6sDgE3uAfK9iBoZq5HtVwM') },
];

/** The text of `latchkey common-key export --form FORM`. */
export function exportedText(form: KeyForm, keys: readonly SharedKey[] = exportedKeys): string {
  const made = keyText(keys, form);
  if (made.kind === 'refused') throw new Error(made.problem);
  return made.text;
}

/** A token of ours under one of them, as latchkey's own code makes it. */
export function mintUnder({ id, secret }: SharedKey): string {
  const record = { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret } as const;
  const key = buildKeyRing([record]).signer('content');
  if (key === null) throw new Error('a signing key does not sign');
  return mintToken({ sub: 'anna', exp: epochSeconds() + 60, paths: ['/vod/*'] }, { key, type: 'outside' });
}

const requestDeadlineMs = 5000;

export class PeerRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-peer-'));
  readonly #configFile = join(this.folder, 'latchkey.yaml');
  #process: RunningProcess | null = null;
  #port = 0;

  constructor() {
    this.#writeConfig('k1', sharedSecret);
  }

  /** Runs `latchkey token mint` with these options behind the configuration. */
  async mint(...options: string[]): Promise<string> {
    return this.#mint(this.#configFile, options);
  }

  /** The same with another key of this id, which no peer holds. */
  async mintElsewhere(id: string, ...options: string[]): Promise<string> {
    return this.#mint(this.#writeConfig(id, 'another key of the same length, or longer', 'elsewhere'), options);
  }

  /** @param configure  writes the files; gets the port to listen on, gives the command line */
  async start(configure: (port: number) => readonly string[]): Promise<void> {
    this.#port = await findFreePort();
    const running = startProcess(configure(this.#port), { folder: this.folder });
    this.#process = running;
    await settle(running, waitForPort(this.#port, running, 15_000));
  }

  /** One request on a connection of its own. @param fields  complete lines without line ends */
  async request(target: string, fields: readonly string[] = [], method = 'GET'): Promise<RawResponse> {
    const client = await RawClient.connect(this.#port);
    const deadline = setTimeout(() => client.destroy(), requestDeadlineMs);
    try {
      const host = fields.some((field) => field.startsWith('Host:')) ? [] : ['Host: media.example'];
      client.write(`${[`${method} ${target} HTTP/1.1`, ...host, ...fields, 'Connection: close'].join('\r\n')}\r\n\r\n`);
      return await client.read(method);
    } finally {
      clearTimeout(deadline);
      client.destroy();
    }
  }

  /** @returns the status for a bearer token */
  async present(token: string, target = '/vod/film/a.ts', method = 'GET'): Promise<number> {
    return (await this.request(target, [`Authorization: Bearer ${token}`], method)).status;
  }

  async close(): Promise<void> {
    await this.#process?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #writeConfig(id: string, secret: string, name = 'latchkey'): string {
    writeFileSync(join(this.folder, `${name}.secret`), `${secret}\n`, { mode: 0o600 });
    const file = join(this.folder, `${name}.yaml`);
    writeFileSync(
      file,
      `listeners: [{ address: 127.0.0.1:0 }]
common_keys: [{ id: ${id}, secret_file: ./${name}.secret, state: signing }]
upstreams: { media: { servers: ["http://127.0.0.1:9"] } }
routes: [{ name: vod, path: /vod/, upstream: media, accept: [token] }]
`,
    );
    return file;
  }

  async #mint(file: string, options: readonly string[]): Promise<string> {
    const minted = await runHere(['token', 'mint', '--config', file, '--sub', 'anna', ...options]);
    if (minted.code !== 0) throw new Error(`token mint ended with ${minted.code}: ${minted.stderr}`);
    return minted.stdout.trim();
  }
}

/** A file of config/peers with texts replaced; throws when one of them is not in it. */
export function peerFile(name: string, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(peerFiles, name), 'utf8');
  for (const [from, to] of Object.entries(replacements)) {
    if (!text.includes(from)) throw new Error(`${name} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The token with one letter of its claims changed, or of its signature; its form stays. */
export function changeToken(token: string, part: 'claims' | 'signature'): string {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const flip = (text: string) => `${text.slice(0, 9)}${text[9] === 'A' ? 'B' : 'A'}${text.slice(10)}`;
  return part === 'claims' ? `${header}.${flip(claims)}.${signature}` : `${header}.${claims}.${flip(signature)}`;
}
