// Children of a long run that are modules of this repository: started with a channel, heard one message at a time, ended
// when the channel goes, so that a run that dies leaves none of them behind.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A module of `test/` as a process. Its messages are checked by nobody: both ends are of one version. */
export class Child<Message> {
  readonly process: ChildProcess;
  #onMessage: (message: Message) => void;

  /** @param module  path from `test/` */
  constructor(module: string, args: readonly string[], onMessage: (message: Message) => void) {
    this.#onMessage = onMessage;
    this.process = fork(join(import.meta.dirname, '..', module), args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (message: Message) => this.#onMessage(message));
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  say(message: object): void {
    if (this.process.connected) this.process.send(message);
  }

  /** The next message that `isIt`; fails when the child ends first. */
  async hear<Wanted extends Message>(isIt: (message: Message) => message is Wanted): Promise<Wanted> {
    const before = this.#onMessage;
    const ended = once(this.process, 'exit').then(() => {
      throw new Error(`${this.process.spawnargs.at(-1)} ended`);
    });
    try {
      return await Promise.race([
        new Promise<Wanted>((resolve) => {
          this.#onMessage = (message) => {
            before(message);
            if (isIt(message)) resolve(message);
          };
        }),
        ended,
      ]);
    } finally {
      this.#onMessage = before;
      ended.catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.process, 'exit');
    if (this.process.connected) this.process.disconnect();
    await gone;
  }
}
