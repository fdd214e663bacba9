// One bash that runs commands one after the other, as a reader who pastes them does: variables stay, outputs are told apart.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

interface ShellOutput {
  readonly stdout: string;
  readonly code: number;
}

/** How the end of a command is found: no command of a test prints this. */
const ended = /^([\s\S]*)<<ended with (\d+)>>\n$/;

export class ShellSession {
  readonly #child;
  #stdout = '';
  #stderr = '';
  #wake: () => void = () => undefined;

  constructor(folder: string, env: Readonly<Record<string, string | undefined>>) {
    this.#child = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.on('exit', () => this.#wake());
  }

  /** Runs one command line to its end. Nothing else may be running. */
  async run(command: string): Promise<ShellOutput> {
    this.#stdout = '';
    this.#child.stdin.write(`${command}\nprintf '<<ended with %d>>\\n' $?\n`);
    for (;;) {
      const end = ended.exec(this.#stdout);
      if (end !== null) return { stdout: end[1] ?? '', code: Number(end[2]) };
      if (this.#child.exitCode !== null) throw new Error(`bash ended at ${command}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What all commands wrote to standard error. */
  get errors(): string {
    return this.#stderr;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exit;
  }
}
