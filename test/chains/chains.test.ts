// From no sequence of steps does anybody hold access without a live chain, and nobody who has one is kept out: on both engines, against a
// model that imports nothing of the gateway. `npm run chains` takes two thousand sequences, or as many as LATCHKEY_CHAINS says; the seed of a run that failed is in
// the message, and LATCHKEY_CHAINS_SEED takes it.

import { env } from 'node:process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeContext } from '../support/rigs/control-context.ts';
import { describeEngines } from '../support/store/stores.ts';
import { runSequence, type Tally } from './run-sequence.ts';
import { sequences } from './steps.ts';
import { worldYaml } from './world.ts';

const wanted = Number(env.LATCHKEY_CHAINS ?? 0);
/** The short run is the same each time; a long one is another each time. */
const seed = env.LATCHKEY_CHAINS_SEED ?? (wanted === 0 ? '20261201' : undefined);
const progressMs = 5000;

describeEngines('chains of shares by chance', (engine) => {
  // a step asks two dozen questions, and PostgreSQL takes longer for each
  const count = wanted || { sqlite: 8, postgres: 2 }[engine];
  test('whoever has a live chain gets in, and nobody else', { timeout: 3_600_000 }, async () => {
    const { context, clock } = await makeContext({ engine, yaml: worldYaml });
    const tally: Tally = new Map();
    let done = 0;
    let shownMs = Date.now();
    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        await runSequence(context, clock, { steps, name: `s${done++}`, tally });
        if (Date.now() - shownMs < progressMs) return;
        shownMs = Date.now();
        console.info(`${engine}: ${done} of ${count} sequences`);
      }),
      { numRuns: count, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
    console.info(`${engine}: ${[...tally].map(([what, times]) => `${what} ${times}`).join(', ')}`);
    expect(tally.get('places that opened') ?? 0).toBeGreaterThan(0);
    // a short run meets the usual, a long one everything
    if (count < 100) return;
    for (const what of [
      'give on done',
      'accept done',
      'accept refused',
      'disable done',
      'enable done',
      'revoke done',
    ]) {
      expect(tally.get(what) ?? 0, what).toBeGreaterThan(0);
    }
  });
});
