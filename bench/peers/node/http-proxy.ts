// A peer's process: Node's http server and http-proxy, with connections to the backend kept open.

import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const target = `http://127.0.0.1:${process.argv[2]}`;
const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true }) });
proxy.on('error', (_error, _request, response) => response.writeHead(502).end());

const server = createServer((request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
});
