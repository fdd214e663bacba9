// The short form of `npm run fuzz`: some thousands of inputs for the targets together, from a new seed in each run.
// A failure prints seed, path and the shrunk input in hex.

import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayRig } from './gateway-rig.ts';
import { readByLlhttp } from './llhttp.ts';
import { acceptedShare, gatewayTargets, parserTargets, type Target } from './targets.ts';

let rig: GatewayRig;
beforeAll(async () => {
  rig = await GatewayRig.start();
});
afterAll(() => rig.close());

/** Time limit of a target: on a slow machine the target ends in good order with fewer inputs. */
const patienceMs = 20_000;

async function run(target: Target | undefined, inputs: number): Promise<void> {
  if (target === undefined) throw new Error('there is no such target');
  const outcome = await target.run({ seed: randomInt(2 ** 31), inputs, milliseconds: patienceMs });
  expect(outcome).toEqual({ kind: 'agreed' });
  expect(target.tally.inputs).toBeGreaterThan(100);
  // Otherwise the generators make mostly input that is refused at once, and nothing is compared.
  expect(acceptedShare(target.tally)).toBeGreaterThanOrEqual(target.isSound ? 1 : 0.3);
}

const parsers = parserTargets();

describe('our engine against llhttp', () => {
  it('takes only requests that llhttp takes, with the same framing, in one piece and in many', () =>
    run(parsers[0], 2500));
  it('takes every request of the documented grammar, pipelined', () => run(parsers[1], 1500));
  it('takes only answers that llhttp takes, with the same framing, in one piece and in many', () =>
    run(parsers[2], 4000));
  it('takes every answer of the documented grammar', () => run(parsers[3], 2500));
});

describe('a gateway before an upstream that reads with llhttp', () => {
  it('forwards exactly the requests that it answers, each with its own target, fields and body', () =>
    run(gatewayTargets(rig)[0], 1200));
  it('forwards every request of the documented grammar', () => run(gatewayTargets(rig)[1], 600));
  it('forwards valid answers, and lets no byte of an upstream reach the next request', () =>
    run(gatewayTargets(rig)[2], 800));
});

describe('the second opinion', () => {
  it('is strict: it refuses input that a lenient llhttp would take', () => {
    const request = (lines: string): string | null => {
      const text = `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n0\r\n\r\n`;
      return readByLlhttp('request', Buffer.from(text, 'latin1')).error;
    };
    expect(request('Content-Length: 5\r\nTransfer-Encoding: chunked')).toMatch(/^HPE_/);
    expect(request('X: a\nY: b')).toMatch(/^HPE_/);
    expect(request('Transfer-Encoding: chunked')).toBeNull();
  });
});
