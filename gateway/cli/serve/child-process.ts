// What every child process of the supervisor does alike: how it ends, which signals it takes, how it answers.
// A child never outlives the supervisor, and a terminal's Ctrl-C, which reaches the whole group, is the supervisor's to handle.

import { type MessageFromChild, type MessageToChild, readMessageToChild } from '../../wire/process-messages.ts';

interface ChildHandlers {
  readonly onMessage: (message: MessageToChild) => void;
  /** SIGTERM sent to this process alone, as a service manager does to every process of a group. */
  readonly onTerminate: () => void;
  readonly onReopenLogs: () => void;
}

/** Sets the child up. Call before anything that waits. */
export function runAsChild(handlers: ChildHandlers): void {
  // Nobody is left who could stop or replace this process.
  process.once('disconnect', () => process.exit(1));
  process.on('message', (received) => {
    const message = readMessageToChild(received);
    if (message === null) throw new Error('the supervisor sent a message of no known form');
    handlers.onMessage(message);
  });
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGUSR2', () => undefined);
  process.on('SIGTERM', () => handlers.onTerminate());
  // A handler for SIGUSR1 also keeps Node from opening its inspector on that signal.
  process.on('SIGUSR1', () => handlers.onReopenLogs());
}

/** Tells the supervisor; resolves when the message was handed over, also when nobody is there to read it. */
export function tellSupervisor(message: MessageFromChild): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** Reads what an error says about an address that could not be listened on; null for any other error. */
export function listenProblem(error: unknown): Extract<MessageFromChild, { readonly type: 'cannot-listen' }> | null {
  if (!(error instanceof Error) || !('code' in error) || !('at' in error)) return null;
  return { type: 'cannot-listen', at: String(error.at), code: String(error.code) };
}
