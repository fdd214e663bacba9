// A running `latchkey demo` for a test: started as a user starts it, known only by what it prints and writes.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repository } from '../run/package-copy.ts';

export class DemoProcess {
  /** Everything printed on standard output up to the moment it was ready. */
  readonly printed: string;
  readonly folder: string;
  readonly child: ChildProcessByStdio<null, Readable, null>;
  readonly #mark: string;

  private constructor(printed: string, folder: string, child: ChildProcessByStdio<null, Readable, null>, mark: string) {
    this.printed = printed;
    this.folder = folder;
    this.child = child;
    this.#mark = mark;
  }

  /** Starts it on a free port, in a temporary folder; resolves when it has printed all of its text. */
  static async start(...more: string[]): Promise<DemoProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'latchkey-demo-'));
    const mark = `LATCHKEY_TEST_MARK=${randomUUID()}`;
    const [name = '', value = ''] = mark.split('=');
    const args = [join(repository, 'gateway', 'latchkey.mjs'), 'demo', '--port', '0', '--data-dir', folder, ...more];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, [name]: value },
    });
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.includes(`are in ${folder}\n`)) resolve(text);
      });
      child.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${text}`)));
    });
    return new DemoProcess(printed, folder, child, mark);
  }

  /** The first printed URL that matches. */
  url(pattern: RegExp): URL {
    const found = this.printed.match(/http:\/\/\S+/g)?.find((url) => pattern.test(url));
    if (found === undefined) throw new Error(`no URL ${pattern} in: ${this.printed}`);
    return new URL(found);
  }

  /** Reads a file of JSON lines in the demo's folder. */
  readLog(name: string): Record<string, unknown>[] {
    const lines = readFileSync(join(this.folder, name), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line): Record<string, unknown> => JSON.parse(line));
  }

  /** Ids of the processes that the demo started, itself included, and that still run. Linux only. */
  livingProcesses(): string[] {
    return globSync('/proc/[0-9]*/environ').flatMap((path) => {
      try {
        return readFileSync(path, 'utf8').split('\0').includes(this.#mark) ? [path.split('/')[2] ?? ''] : [];
      } catch {
        return [];
      }
    });
  }

  /** Ends it as Ctrl-C does. @returns its exit code */
  async interrupt(): Promise<number | null> {
    const exit = once(this.child, 'exit');
    this.child.kill('SIGINT');
    const [code]: (number | null)[] = await exit;
    return code ?? null;
  }

  /** Ends it if it still runs, and removes its folder. */
  async dispose(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.interrupt();
    await rm(this.folder, { recursive: true, force: true });
  }
}
