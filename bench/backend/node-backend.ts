// The backend's process where nginx is not installed: fixed answers, directly on node:net. Prints a JSON object with its `port`.
// It knows just enough HTTP for the proxies of the bench: requests without bodies, answered in order.

import { createServer } from 'node:net';
import { type BodySize, makeBody } from '../workload/bodies.ts';

const answers: Readonly<Record<BodySize, Buffer>> = { '1k': render('1k'), '64k': render('64k'), '1m': render('1m') };
const missing = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');

function render(size: BodySize): Buffer {
  const body = makeBody(size);
  return Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

function choose(head: string): Buffer {
  const size = /^GET \/vod\/(1k|64k|1m)\//.exec(head)?.[1];
  return size === '1k' || size === '64k' || size === '1m' ? answers[size] : missing;
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    let end = text.indexOf('\r\n\r\n');
    for (; end >= 0; end = text.indexOf('\r\n\r\n')) {
      socket.write(choose(text.slice(0, end)));
      text = text.slice(end + 4);
    }
  });
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
});
