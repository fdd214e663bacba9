// A real gateway for end-to-end tests, inside the test's process: control, the sockets, the client and one edge.
// Everything is what `serve` runs, but for the processes; startServe (serve-process.ts) is for tests that need these too.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { loadConfig } from '../../../gateway/config/load.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import type { fileSchema } from '../../../gateway/config/schema/schema.ts';
import { loadState } from '../../../gateway/control/node/load-state.ts';
import { type Control, startControl } from '../../../gateway/control/node/start-control.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { type TokenType, tokenKinds } from '../../../gateway/core/token/token-kinds.ts';
import { type Edge, startEdge } from '../../../gateway/edge/edge.ts';
import { ControlClient } from '../../../gateway/edge/live/control-client.ts';
import { addUser } from '../../../gateway/store/files/users.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { EdgeMetrics } from '../../../gateway/telemetry/edge-metrics.ts';
import type { ControlState } from '../../../gateway/wire/process-messages.ts';
import type { ControlLine } from '../clients/control-line.ts';
import { noStoreAnswers, withoutStore } from '../control-without-store.ts';
import { createJwksServer } from '../jwks-server.ts';
import { memoryLogger } from './control.ts';

type ControlOptions = Parameters<typeof startControl>[0];

/** A configuration as its file says it, snake_case; listeners, operations and data_dir are filled in. */
export type FileInput = Omit<z.input<typeof fileSchema>, 'listeners'> & {
  readonly listeners?: z.input<typeof fileSchema>['listeners'];
};

export interface GatewayOptions {
  readonly config: FileInput;
  /** Name to password; makes the users file, empty for `{}`. */
  readonly users?: Readonly<Record<string, string>>;
  /** How late the edge's event loop is said to run. Default: never late, whatever else the machine does. */
  readonly loopDelayMs?: () => number;
  /** Resolves the names of upstreams. */
  readonly lookup?: LookupFunction;
  /** Stands between the edge and control; closed with the gateway. */
  readonly controlLine?: ControlLine;
  /** What control says about access and sessions. */
  readonly answers?: Partial<ControlOptions['answers']>;
  /** The change log. Default: nothing happens in it. */
  readonly changes?: ControlOptions['changes'];
  /** Gives the ring after the log said that it changed. */
  readonly reloadKeys?: ControlOptions['reloadKeys'];
  /** What serves public.sock. Default: the JWKS. */
  readonly visitors?: ControlOptions['visitors'];
  /** Between the edge's reports of who was seen. */
  readonly seenEveryMs?: number;
  /** More files for its folder, by name; they are written again on each reload. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The one signing key, `k1`, of a gateway that declares no others. */
export const gatewaySecret = Buffer.from('common-key-of-the-tests-k1-0123456789abcdef');

/** Signs sessions, in a gateway with a portal. */
const internalKey: SigningKey = {
  id: 'i1',
  algorithm: 'HS256',
  purpose: 'internal',
  state: 'signing',
  secret: Buffer.from('internal-key-of-the-tests-i1-0123456789abcdef'),
};

/** A running gateway. */
export interface TestGateway {
  readonly host: string;
  readonly port: number;
  readonly operations: { readonly host: string; readonly port: number };
  /** Holds everything on disk: keys, users, logs, sockets. */
  readonly folder: string;
  readonly metrics: EdgeMetrics;
  readonly edge: Edge;
  /** What the edge began with; `edge.feed.snapshot` takes another one in the same turn, where `reload` needs many. */
  readonly snapshot: Awaited<ReturnType<ControlClient['connect']>>;
  /** May be closed before the gateway is: the edge has to live with that. */
  readonly control: Control;
  /** Starts another control in the place of one that was closed. */
  startControlAgain(): Promise<void>;
  /** What control and edge said on their loggers. */
  readonly said: () => string;
  /** A token under `k1`. `exp` is in five minutes and `paths` is everything unless `claims` says so. */
  mint(claims?: object, type?: TokenType): string;
  /** Every line of a log, once one is about this path; waits. */
  readLog(name: 'access' | 'decisions', path: string): Promise<Record<string, unknown>[]>;
  /** The text of `/metrics`. */
  scrape(): Promise<string>;
  /** Writes another configuration and has control load it; resolves when the edge has it. */
  reload(config: FileInput): Promise<void>;
  close(): Promise<void>;
}

/** Writes the configuration and what it names into a folder. @returns the file's path */
export async function writeConfig(folder: string, options: GatewayOptions): Promise<string> {
  const users = join(folder, 'users');
  writeFileSync(join(folder, 'k1.secret'), gatewaySecret, { mode: 0o600 });
  // not in use unless `common_keys` names it
  writeFileSync(join(folder, 'k2.secret'), 'another-common-key-k2-0123456789abcdef', { mode: 0o600 });
  if (options.users !== undefined && !existsSync(users)) {
    writeFileSync(users, '', { mode: 0o600 });
    for (const [name, password] of Object.entries(options.users)) await addUser(users, name, password);
  }
  for (const [name, text] of Object.entries(options.files ?? {})) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  const file = join(folder, 'latchkey.yaml');
  // JSON is YAML
  const whole = {
    listeners: [{ address: '127.0.0.1:0' }],
    operations: { address: '127.0.0.1:0' },
    data_dir: './data',
    common_keys: [{ id: 'k1', secret_file: './k1.secret', state: 'signing' }],
    logs: { level: 'debug', access: './access.log', decisions: './decisions.log' },
    ...(options.users === undefined ? {} : { users_file: './users' }),
    ...options.config,
    // an empty list leaves the keys to the store
    ...(options.config.common_keys?.length === 0 ? { common_keys: undefined } : {}),
  };
  writeFileSync(file, JSON.stringify(whole, null, 2));
  return file;
}

/** Starts a gateway on free ports. */
export async function startGateway(options: GatewayOptions): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'lk-'));
  const { logger, said } = memoryLogger();
  const load = (file: string): ControlState => {
    const loaded = loadConfig(file, () => undefined);
    if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const read = loadState({ ...loaded.config, edges: 1 });
    if (read.kind === 'refused') throw new Error(read.problem);
    // sessions are of people, who sign in at a portal
    return loaded.config.portal === null ? read.state : { ...read.state, keys: [...read.state.keys, internalKey] };
  };
  const file = await writeConfig(folder, options);
  const first = await loadOrTidy(() => load(file), folder);
  const sockets = { edge: join(folder, 'e.sock'), public: join(folder, 'p.sock') };
  const controlOptions = (): ControlOptions => ({
    ...withoutStore(first.config.passwordChecksPerSecond),
    state: first,
    sockets,
    reload: () => ({ kind: 'loaded', state: load(file) }),
    logger,
    clock: { monotonicMs, epochSeconds },
    visitors:
      options.visitors ??
      (({ assertionKeys }) => createJwksServer(logger, { prefix: first.config.reservedPrefix, assertionKeys })),
    ...(options.changes === undefined ? {} : { changes: options.changes }),
    ...(options.reloadKeys === undefined ? {} : { reloadKeys: options.reloadKeys }),
    ...(options.answers === undefined ? {} : { answers: { ...noStoreAnswers, ...options.answers } }),
  });
  const control: Control = await startControl(controlOptions());
  let laterControl: Control | null = null;
  const socketPath = (await options.controlLine?.open(sockets.edge)) ?? sockets.edge;
  const client = new ControlClient({ socketPath, edgeId: 'e1', logger });
  const snapshot = await client.connect();
  const metrics = new EdgeMetrics(
    first.config.routes.map((route) => route.name),
    first.config.upstreams.map((upstream) => upstream.name),
  );
  client.answerCollect = () => metrics.report();
  const { lookup } = options;
  const edge = await startEdge({
    edgeId: 'e1',
    client,
    snapshot,
    metrics,
    logger,
    loopDelayMs: options.loopDelayMs ?? (() => 0),
    ...(lookup === undefined ? {} : { lookup }),
    ...(options.seenEveryMs === undefined ? {} : { seenEveryMs: options.seenEveryMs }),
  });
  await client.reportReady(edge.listening);
  const [bound] = edge.listening;
  if (bound === undefined) throw new Error('the edge listens nowhere');
  const ring = buildKeyRing(first.keys);

  return {
    host: bound.host,
    port: bound.port,
    operations: control.operations,
    folder,
    metrics,
    edge,
    snapshot,
    control,
    startControlAgain: async () => {
      laterControl = await startControl(controlOptions());
    },
    said,
    mint: (claims = {}, type = 'outside') => {
      const signer = ring.signer(tokenKinds[type].purpose);
      if (signer === null) throw new Error('this gateway has no signing key');
      return mintToken({ sub: 'user-1', exp: epochSeconds() + 300, paths: ['/*'], ...claims }, { key: signer, type });
    },
    readLog: async (name, path) => {
      const deadline = monotonicMs() + 20_000;
      for (;;) {
        // the old file's lines go to the disk when a new one takes its place
        edge.reopenLogs();
        const text = readFileSync(join(folder, `${name}.log`), 'utf8')
          .split('\n')
          .slice(0, -1);
        const lines = text.map((line): Record<string, unknown> => JSON.parse(line));
        if (lines.some((line) => line.path === path)) return lines;
        if (monotonicMs() > deadline) throw new Error(`${name}.log says nothing about ${path}`);
        await pause(10);
      }
    },
    scrape: async () => {
      // control waits half a second for an edge, and then shows what it heard last: let that be of now
      await client.reportMetrics();
      const answer = await fetch(`http://${control.operations.host}:${control.operations.port}/metrics`);
      return answer.text();
    },
    reload: async (config) => {
      const applied = new Promise<void>((resolve) => {
        client.observe({
          ...edge.feed,
          snapshot: (message) => {
            edge.feed.snapshot(message);
            resolve();
          },
        });
      });
      await writeConfig(folder, { ...options, config });
      control.reload();
      await applied;
    },
    close: async () => {
      await edge.drain(0);
      await client.close();
      await options.controlLine?.close();
      await control.close();
      await laterControl?.close();
      metrics.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A configuration that a test got wrong must not leave its folder behind. */
async function loadOrTidy<T>(load: () => T, folder: string): Promise<T> {
  try {
    return load();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
