// What all child processes of the supervisor have in common: how they end, which signals they handle, how they report to the supervisor.
// A child never outlives the supervisor. A Ctrl-C in a terminal reaches the whole process group, but only the supervisor acts on it.

import { type MessageFromChild, type MessageToChild, readMessageToChild } from '../../wire/process-messages.ts';

interface ChildHandlers {
  readonly onMessage: (message: MessageToChild) => void;
  /** Called on SIGTERM: a service manager may send it to every process of the service. */
  readonly onTerminate: () => void;
  /** Called on SIGUSR1, after a rotation of the logs. */
  readonly onReopenLogs: () => void;
}

/** Installs the handlers for messages and signals. Must be called before the first await, so that none is missed. */
export function runAsChild(handlers: ChildHandlers): void {
  // without the supervisor no process is left that could stop or replace this one
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
  // a handler for SIGUSR1 also keeps Node.js from opening its inspector on that signal
  process.on('SIGUSR1', () => handlers.onReopenLogs());
}

/** Sends a message to the supervisor. Resolves when it was handed over; also when the supervisor is gone. */
export function tellSupervisor(message: MessageFromChild): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** The message for an error about an address that could not be listened on; null for every other error. */
export function listenProblem(error: unknown): Extract<MessageFromChild, { readonly type: 'cannot-listen' }> | null {
  if (!(error instanceof Error) || !('code' in error) || !('at' in error)) return null;
  return { type: 'cannot-listen', at: String(error.at), code: String(error.code) };
}
