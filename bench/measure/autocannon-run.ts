// A load generator process: autocannon on a prepared list of requests. Prints one LoadResult as JSON.
// Used where wrk is not installed; it costs the load's core about three times as much per request.

import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { parseRequest, separator } from '../workload/requests.ts';
import type { LoadJob, LoadResult } from './load.ts';

const job = JSON.parse(process.argv[2] ?? '{}') as LoadJob;
const requests = readFileSync(job.requestsFile, 'latin1').split(separator).map(parseRequest);
const share = Math.ceil(requests.length / job.connections);
let next = 0;

const result = await autocannon({
  url: `http://127.0.0.1:${job.port}`,
  connections: job.connections,
  duration: job.seconds,
  timeout: 10,
  // each connection sends a slice of its own, so that all connections together send every request once a turn
  setupClient: (client) => {
    const slice = requests.slice(next * share, (next + 1) * share);
    next += 1;
    client.setRequests(
      slice.map((request) => ({ method: 'GET', path: request.path, headers: { ...request.headers } })),
    );
  },
});

const answer: LoadResult = {
  completed: result.requests.total,
  seconds: result.duration,
  bytes: result.throughput.total,
  refused: result.non2xx,
  broken: result.errors,
  p50Ms: result.latency.p50,
  p90Ms: null,
  p99Ms: result.latency.p99,
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
