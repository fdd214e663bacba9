// The sockets that servers of this process accepted, for tests that need a client which has not taken its last answers.
// Writing to such a socket behind the gateway's back fills the kernel's buffers at an exact moment.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

const channel = 'net.server.socket';

/** Runs `use` on each socket that is accepted on this local port. @returns stops it */
export function onAccepted(port: number, use: (socket: Socket) => void): () => void {
  const listen = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return;
    const { socket } = message;
    if (socket instanceof Socket && socket.localPort === port) use(socket);
  };
  subscribe(channel, listen);
  return () => {
    unsubscribe(channel, listen);
  };
}
