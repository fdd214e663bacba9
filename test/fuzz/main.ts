// `npm run fuzz -- --minutes N [--seed S]`: the differential tests against llhttp for N minutes.
// A progress line every ten seconds; exit code 1 and the shrunk input in hex on a disagreement, or when too few inputs
// are accepted for the comparison to mean anything. Every batch can be run again from its seed.

import { randomInt } from 'node:crypto';
import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { GatewayRig } from './gateway-rig.ts';
import { acceptedShare, gatewayTargets, parserTargets, type Target } from './targets.ts';

const leastShare = 0.3;
const progressMs = 10_000;
// Short, so that all targets get their turns between two progress lines.
const batchMs = 1000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const firstSeed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!(minutes > 0 && minutes <= 100_000) || !Number.isInteger(firstSeed)) {
  process.stderr.write('usage: npm run fuzz -- [--minutes 0.1..100000] [--seed INTEGER]\n');
  process.exit(2);
}

setPriority(10);
const startMs = monotonicMs();
const endMs = startMs + minutes * 60_000;
let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});

const rig = await GatewayRig.start();
const targets = [...parserTargets(), ...gatewayTargets(rig)];
let disagreements = 0;
let seed = firstSeed;
let nextProgressMs = startMs + progressMs;
process.stdout.write(`seed ${firstSeed}, ${targets.length} targets, ${minutes} min\n`);
while (monotonicMs() < endMs && !isInterrupted && disagreements === 0) {
  for (const target of targets) {
    if (monotonicMs() >= endMs || isInterrupted) break;
    const outcome = await target.run({ seed, inputs: 1_000_000, milliseconds: batchMs });
    if (outcome.kind === 'disagreed') {
      disagreements++;
      process.stdout.write(
        `DISAGREEMENT: ${target.title}: ${outcome.message}\n` +
          `  seed ${outcome.seed}, path ${outcome.path}${outcome.asked === '' ? '' : `, answer to ${outcome.asked}`}\n` +
          `  input ${outcome.hex}\n`,
      );
    }
  }
  seed = (seed + 1) | 0;
  if (monotonicMs() < nextProgressMs) continue;
  nextProgressMs = monotonicMs() + progressMs;
  process.stdout.write(`${summary()}\n`);
}
await rig.close();

for (const target of targets) {
  const { inputs, messages } = target.tally;
  process.stdout.write(`${target.title}: ${inputs} inputs, ${percent(target)} accepted, ${messages} messages\n`);
  if (!target.isSound && inputs > 1000 && acceptedShare(target.tally) < leastShare) {
    process.stdout.write(`${target.title}: fewer than ${leastShare * 100} % were accepted\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`${summary()}\n`);
if (disagreements > 0) process.exitCode = 1;

function summary(): string {
  const sum = { inputs: 0, accepted: 0, messages: 0 };
  for (const { tally } of targets) {
    sum.inputs += tally.inputs;
    sum.accepted += tally.accepted;
    sum.messages += tally.messages;
  }
  const seconds = Math.round((monotonicMs() - startMs) / 1000);
  const share = (acceptedShare(sum) * 100).toFixed(1);
  return `${seconds} s: ${sum.inputs} inputs, ${share} % accepted, seed ${firstSeed}, ${disagreements} disagreements`;
}

function percent(target: Target): string {
  return `${(acceptedShare(target.tally) * 100).toFixed(1)} %`;
}
