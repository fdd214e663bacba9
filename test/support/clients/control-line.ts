// The line between an edge and control, for tests of what happens while control is asked: its answers can be held.
// Bytes pass unread and unchanged both ways; an edge that waits waits for the real control, not for a stand-in.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Unix sockets between the one that an edge knows and control's own. */
export class ControlLine {
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  /** Bytes of control's that wait; null while nothing is held. */
  #held: (() => void)[] | null = null;
  #control = '';
  #awaited: { readonly text: string; readonly found: () => void } | null = null;

  /** Listens beside control's socket. @returns the path that the edge is to use */
  async open(controlSocket: string): Promise<string> {
    this.#control = controlSocket;
    const path = `${controlSocket}.line`;
    this.#server.listen(path);
    await once(this.#server, 'listening');
    return path;
  }

  /** From now on nothing of what control says arrives. @returns resolves once the edge has asked control for this */
  hold(request: string): Promise<void> {
    this.#held ??= [];
    return new Promise((resolve) => {
      this.#awaited = { text: request, found: resolve };
    });
  }

  /** Lets everything that was held arrive, and holds no more. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const pass of held) pass();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(edge: Socket): void {
    const control = connect(this.#control);
    let asked = '';
    edge.on('data', (chunk: Buffer) => {
      control.write(chunk);
      if (this.#awaited === null) return;
      asked += chunk.toString('latin1');
      if (!asked.includes(this.#awaited.text)) return;
      asked = '';
      this.#awaited.found();
      this.#awaited = null;
    });
    control.on('data', (chunk: Buffer) => this.#pass(() => edge.write(chunk)));
    edge.on('end', () => control.end());
    control.on('end', () => this.#pass(() => edge.end()));
    for (const [socket, other] of [
      [edge, control],
      [control, edge],
    ] as const) {
      this.#sockets.add(socket);
      // 'close' follows
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (socket === edge) other.destroy();
      });
    }
  }

  #pass(write: () => void): void {
    if (this.#held === null) write();
    else this.#held.push(write);
  }
}
