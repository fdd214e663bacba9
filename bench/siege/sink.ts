// The target of the floods for the comparison: it does the least that a program in this language can do with them. Guesses get an answer of
// a few bytes, and a connection with a ClientHello is reset. So both figures contain the cost of the floods themselves, and the difference
// is the gateway's. Prints its two ports.

import { createServer, type Server } from 'node:net';

process.once('disconnect', () => process.exit(0));

const refusal = Buffer.from('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n');
const guesses = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => socket.write(refusal));
});
const hellos = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => socket.resetAndDestroy());
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    });
  });
}

const ports = [await listen(guesses), await listen(hellos)];
process.stdout.write(`${JSON.stringify(ports)}\n`);
