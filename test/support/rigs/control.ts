// Starts a real control on sockets in a temporary folder, for the tests of control and of the edge's client.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import { type Control, startControl } from '../../../gateway/control/node/start-control.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { createLogger, type Logger } from '../../../gateway/telemetry/logger.ts';
import type { ControlState } from '../../../gateway/wire/process-messages.ts';
import { noStoreAnswers, withoutStore } from '../control-without-store.ts';
import { createJwksServer } from '../jwks-server.ts';

type ControlOptions = Parameters<typeof startControl>[0];

/** A key whose secret is easy to look for. */
export const testKey: SigningKey = {
  id: 'k1',
  algorithm: 'HS256',
  purpose: 'content',
  state: 'signing',
  secret: Buffer.from('this-secret-must-not-show-up-anywhere'),
};

/** A whole configuration without routes. */
export function testConfig(changes: Partial<Config> = {}): Config {
  return {
    listeners: [
      { at: 'listeners[0].address', host: '127.0.0.1', port: 0, tls: null, redirectPort: null, proxyFrom: null },
    ],
    operations: { at: 'operations.address', host: '127.0.0.1', port: 0 },
    dataDir: '/nonexistent',
    edges: 1,
    commonKeys: [],
    usersFile: null,
    upstreams: [],
    routes: [],
    trustedProxies: [],
    clientAddressHeader: null,
    saysVia: false,
    reservedPrefix: '/.latchkey/',
    tokens: { parameter: 'token', pathPrefix: '/.t/', clockSkewSeconds: 5, passTtlSeconds: 3600, issuer: 'latchkey' },
    logs: { level: 'info', access: { kind: 'off' }, decisions: { kind: 'off' }, format: 'json', refusals: 'once' },
    telemetry: { tracesRequests: false, otlp: null },
    limits: {
      headMs: 10_000,
      clientKeepAliveMs: 65_000,
      upstreamKeepAliveMs: 4000,
      maxConnections: 100,
      maxConnectionsPerAddress: null,
      maxEventLoopDelayMs: 500,
      drainMs: 1000,
      rateWindowMs: 30_000,
    },
    reload: { watch: false, intervalMs: 1000 },
    decisionCache: { entries: 1000, bytes: 1_000_000 },
    explain: 'on',
    passwordChecksPerSecond: 20,
    store: { kind: 'sqlite', file: '/nonexistent/latchkey.db' },
    masterKeyFile: null,
    portal: null,
    accounts: {
      registration: 'invited',
      domains: [],
      limits: { mailsPerHour: 500, requestsPerNetwork: 100, unverifiedAccounts: 10_000 },
    },
    mail: null,
    collections: [],
    links: { keyParameter: 'key', tokenParameter: 'authtoken', defaultAccessSeconds: null },
    sharing: {
      invite: 'anyone',
      reshareDepth: 0,
      expiresSeconds: 30 * 86_400,
      requestWindowSeconds: 900,
      resendSeconds: 60,
      perSender: { count: 50, seconds: 3600 },
      perAddress: { count: 10, seconds: 3600 },
    },
    ...changes,
  };
}

/** What control hands out of such a configuration, with one key. */
export function testState(changes: Partial<Config> = {}): ControlState {
  return { config: testConfig(changes), keys: [testKey], tls: [], upstreamTls: [] };
}

/** A logger and what it said. */
export function memoryLogger(): { readonly logger: Logger; readonly said: () => string } {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: createLogger({ role: 'control', level: 'debug', destination }), said: () => lines.join('') };
}

/** What a test sets itself; of the answers only those that it asks for. */
type ControlChanges = Partial<Omit<ControlOptions, 'answers'>> & {
  readonly answers?: Partial<ControlOptions['answers']>;
};

export interface TestControl {
  readonly folder: string;
  readonly sockets: { readonly edge: string; readonly public: string };
  readonly said: () => string;
  readonly start: (changes?: ControlChanges) => Promise<Control>;
  /** Closes every control that was started and removes the folder. */
  readonly clear: () => Promise<void>;
}

/** A folder with sockets; `start` may be called again after a close, as a supervisor would. */
export function makeTestControl(): TestControl {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-control-'));
  const sockets = { edge: join(folder, 'edge.sock'), public: join(folder, 'public.sock') };
  const { logger, said } = memoryLogger();
  const started: Control[] = [];
  return {
    folder,
    sockets,
    said,
    start: async (changes = {}) => {
      const control = await startControl({
        state: testState(),
        sockets,
        reload: () => ({ kind: 'refused', problems: ['no file in this test'] }),
        logger,
        clock: { monotonicMs, epochSeconds },
        visitors: ({ assertionKeys }) => createJwksServer(logger, { prefix: '/.latchkey/', assertionKeys }),
        heartbeatMs: 20,
        ...withoutStore(testConfig().passwordChecksPerSecond),
        ...changes,
        answers: { ...noStoreAnswers, ...changes.answers },
      });
      started.push(control);
      return control;
    },
    clear: async () => {
      await Promise.all(started.map((control) => control.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
