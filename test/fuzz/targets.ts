// The targets of the fuzzing: each makes inputs from a seed, compares, and counts. The tests and `npm run fuzz` both run these.
// A target may require that all its inputs are accepted: then a refused input is a failure as well.

import fc from 'fast-check';
import { bytesOf, type Compared, compareAnswer, compareRequests } from './comparison.ts';
import { Disagreement } from './disagreement.ts';
import { compareAnswerThrough, compareThrough } from './gateway-comparison.ts';
import type { GatewayRig } from './gateway-rig.ts';
import { anyAnswer, type GeneratedAnswer, soundAnswer } from './generated-answers.ts';
import { anyStream, cuts, routedRequests, routedStream, soundRequests } from './generated-streams.ts';

/** Inputs so far, and what became of them. Those of a failure's shrinking are in it. */
interface Tally {
  inputs: number;
  accepted: number;
  messages: number;
}

/** How a batch ended. */
type BatchOutcome =
  | { readonly kind: 'agreed' }
  | {
      readonly kind: 'disagreed';
      readonly message: string;
      /** The smallest input found, and what it is sent as an answer to when it is one. */
      readonly hex: string;
      readonly asked: string;
      readonly seed: number;
      /** fast-check's path to that input from the seed. */
      readonly path: string;
    };

interface BatchLimits {
  readonly seed: number;
  readonly inputs: number;
  /** The batch ends in good order after this time, with fewer inputs. */
  readonly milliseconds: number;
}

export interface Target {
  readonly title: string;
  /** Every input is of the documented grammar and must be accepted. */
  readonly isSound: boolean;
  readonly tally: Tally;
  run(limits: BatchLimits): Promise<BatchOutcome>;
}

/** Targets that need no socket. */
export function parserTargets(): Target[] {
  return [
    requestTarget('requests', false, anyStream, compareRequests),
    requestTarget('sound requests', true, soundRequests, compareRequests),
    answerTarget('answers', false, anyAnswer, compareAnswer),
    answerTarget('sound answers', true, soundAnswer, compareAnswer),
  ];
}

/** Targets that go through a running gateway. */
export function gatewayTargets(rig: GatewayRig): Target[] {
  const through = (text: string, places: readonly number[]): Promise<Compared> =>
    rig.exclusively(() => compareThrough(rig, text, places));
  const answered = (answer: GeneratedAnswer): Promise<Compared> =>
    rig.exclusively(() => compareAnswerThrough(rig, answer));
  return [
    requestTarget('requests through the gateway', false, routedStream, through),
    requestTarget('sound requests through the gateway', true, routedRequests, through),
    answerTarget('answers through the gateway', false, anyAnswer, answered),
  ];
}

/** Share of inputs that were accepted; 1 when there were none. */
export function acceptedShare(tally: Tally): number {
  return tally.inputs === 0 ? 1 : tally.accepted / tally.inputs;
}

type Compare<Input> = (input: Input, places: readonly number[]) => Compared | Promise<Compared>;

function requestTarget(
  title: string,
  isSound: boolean,
  inputs: fc.Arbitrary<string>,
  compare: Compare<string>,
): Target {
  return target(title, isSound, inputs, compare, (text) => ({ text, asked: '' }));
}

function answerTarget(
  title: string,
  isSound: boolean,
  inputs: fc.Arbitrary<GeneratedAnswer>,
  compare: Compare<GeneratedAnswer>,
): Target {
  return target(title, isSound, inputs, compare, ({ text, method }) => ({ text, asked: method }));
}

function target<Input>(
  title: string,
  isSound: boolean,
  inputs: fc.Arbitrary<Input>,
  compare: Compare<Input>,
  describe: (input: Input) => { readonly text: string; readonly asked: string },
): Target {
  const tally: Tally = { inputs: 0, accepted: 0, messages: 0 };
  const property = fc.asyncProperty(inputs, cuts, async (input, places) => {
    const compared = await compare(input, places);
    tally.inputs++;
    if (compared.isAccepted) tally.accepted++;
    else if (isSound) throw new Disagreement('we refused what the documented grammar allows');
    tally.messages += compared.messages;
  });
  return {
    title,
    isSound,
    tally,
    run: async ({ seed, inputs: numRuns, milliseconds }) => {
      const details = await fc.check(property, {
        seed,
        numRuns,
        interruptAfterTimeLimit: milliseconds,
        markInterruptAsFailure: false,
      });
      if (!details.failed || details.counterexample === null) return { kind: 'agreed' };
      const { text, asked } = describe(details.counterexample[0]);
      const { errorInstance } = details;
      return {
        kind: 'disagreed',
        message: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
        hex: bytesOf(text).toString('hex'),
        asked,
        seed: details.seed,
        path: details.counterexamplePath ?? '',
      };
    },
  };
}
