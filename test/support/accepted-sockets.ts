// The sockets that servers of this process accepted, for tests that have to hold a client's answer back at an exact moment.
// A corked socket is what a client that takes nothing looks like from above the kernel, without filling its buffers.

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
