// A process of slow clients: prints how many are connected once they are, then drips until it is ended.
// Each client sends or reads a little every two seconds, spread evenly, so that all of them are awake all the time.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { separator } from '../workload/requests.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as { port: number; clients: number; requestsFile: string };
const requests = readFileSync(job.requestsFile, 'latin1').split(separator);
const everyMs = 2000;

type Drip = (socket: Socket) => void;

async function open(index: number): Promise<[Socket, Drip]> {
  const socket = connect(job.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const request = requests[index % requests.length] ?? '';
  if (index % 3 === 0) {
    // a client that never ends its head
    socket.write(request.slice(0, 40), 'latin1');
    return [socket, () => socket.write(`X-Drip-${index}: 1\r\n`.slice(0, 1), 'latin1')];
  }
  if (index % 3 === 1) {
    // a client that sends its body byte by byte
    const head = request.replace(/^GET /, 'POST ').replace(/\r\n\r\n$/, '\r\nContent-Length: 1000000\r\n\r\n');
    socket.write(head, 'latin1');
    return [socket, () => socket.write('.')];
  }
  // a client that reads a piece, and then nothing for a while
  socket.write(request, 'latin1');
  socket.on('data', () => socket.pause());
  return [socket, () => socket.resume()];
}

const drips: [Socket, Drip][] = [];
while (drips.length < job.clients) {
  const batch = Math.min(100, job.clients - drips.length);
  drips.push(...(await Promise.all(Array.from({ length: batch }, (_, at) => open(drips.length + at)))));
}
process.stdout.write(`${drips.filter(([socket]) => !socket.destroyed).length}\n`);
const slices = 100;
let slice = 0;
setInterval(() => {
  slice = (slice + 1) % slices;
  for (let index = slice; index < drips.length; index += slices) {
    const entry = drips[index];
    if (entry !== undefined && !entry[0].destroyed) entry[1](entry[0]);
  }
}, everyMs / slices);
