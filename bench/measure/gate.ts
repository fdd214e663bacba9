// The correctness gate: nothing is measured, and no figure printed, of a proxy that answers wrongly.
// Each answer is compared byte for byte with the body that the backend serves.

import { request } from 'node:http';
import { type BodySize, makeBody } from '../workload/bodies.ts';
import { type BenchRequest, type Fault, makeRequest, type TokenForm, type Workload } from '../workload/requests.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface GateSubject {
  readonly port: number;
  readonly form: TokenForm;
  readonly checks: boolean;
}

/** Checks a proxy before it is measured. @returns what it did wrong, for the report; null when it passes */
export async function checkProxy(workload: Workload, subject: GateSubject): Promise<string | null> {
  const ask = (size: BodySize, index: number, fault: Fault) =>
    fetchOnce(subject.port, makeRequest(workload, subject.form, size, index, fault));
  for (const size of ['1k', '64k', '1m'] as const) {
    const answer = await ask(size, 7, 'none');
    if (answer.status !== 200) return `an authorised request for ${size} was answered ${answer.status}, not 200`;
    if (answer.body !== makeBody(size)) return `the ${size} body is not the backend's (${answer.body.length} bytes)`;
  }
  if (!subject.checks) return null;
  // the same request as above but for the credential, so that only the credential can be the reason
  for (const fault of ['wrong', 'absent'] as const) {
    const answer = await ask('1k', 7, fault);
    if (answer.status < 400 || answer.status > 499)
      return `a request with its token ${fault} was answered ${answer.status}`;
    if (answer.body.includes(makeBody('1k').slice(0, 32))) return `a request with its token ${fault} got the body`;
  }
  return null;
}

/** Sends one request on a connection of its own; throws when no whole answer comes within 10 s. */
function fetchOnce(port: number, what: BenchRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: what.path, headers: what.headers, agent: false } as const;
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('latin1') });
      });
      incoming.on('error', reject);
    });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no whole answer within 10 s')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
