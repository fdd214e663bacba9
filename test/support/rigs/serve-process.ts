// `latchkey serve` as whole processes, for tests that kill them or that must share nothing with the issuer but a file.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { childEnvironment } from '../run/child-environment.ts';
import { type GatewayOptions, writeConfig } from './gateway.ts';

const main = join(import.meta.dirname, '../../../gateway/main.ts');

/** A running `latchkey serve`. */
export interface ServeProcess {
  readonly port: number;
  readonly operations: { readonly host: string; readonly port: number };
  /** Configuration, keys, users, data and log files. */
  readonly folder: string;
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything printed so far, on both outputs. */
  readonly printed: () => string;
  /** Sends a signal and resolves when the supervisor has ended. @returns exit code, null when a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends it when it still runs, and removes the folder. */
  dispose(): Promise<void>;
}

/** Starts it with one edge unless the configuration says otherwise; resolves when everything listens. */
export async function startServe(options: GatewayOptions): Promise<ServeProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'lk-'));
  // whatever else the machine does meanwhile
  const limits = { max_event_loop_delay: '1d', ...options.config.limits };
  const file = await writeConfig(folder, { ...options, config: { edges: 1, ...options.config, limits } });
  const child = spawn(process.execPath, [main, 'serve', '--config', file, '--json-ready'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment(),
  });
  let printed = '';
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const ready = await new Promise<{ listeners: { port: number }[]; operations: { host: string; port: number } }>(
    (resolve, reject) => {
      child.stdout.on('data', () => {
        const line = printed.split('\n').find((text) => text.startsWith('{"ready":true'));
        if (line !== undefined) resolve(JSON.parse(line));
      });
      child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${printed}`)));
    },
  );
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    return child.exitCode;
  };
  return {
    port: ready.listeners[0]?.port ?? 0,
    operations: ready.operations,
    folder,
    child,
    printed: () => printed,
    stop,
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
