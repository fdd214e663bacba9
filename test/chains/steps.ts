// What can happen to keys that people share, as numbers that fast-check makes and shrinks. Windows are seconds from now. A number that means a share, a person or a
// browser is taken modulo how many there are when the step comes.

import fc from 'fast-check';
import type { Ending, Window } from './model-rows.ts';

/** Who does something to a share: one of the people, or whoever has this part in it. */
export type Who = number | 'giver' | 'recipient' | 'above';

export type Step =
  | {
      readonly do: 'give';
      /** Whether giver, recipient and depth are chosen among those that are fit, by the numbers that follow. */
      readonly isFit: boolean;
      readonly who: number;
      readonly key: number;
      readonly to: number;
      readonly depth: number;
      readonly window: Window;
      readonly uses: number | null;
      /** Whether the mail goes out, and the right person asks and accepts at once. */
      readonly isTaken: boolean;
    }
  | { readonly do: 'deliver' }
  | { readonly do: 'ask'; readonly share: number; readonly browser: number }
  | { readonly do: 'accept'; readonly browser: number; readonly typed: number | 'theirs' | 'wrong' }
  /** Fit: the share is chosen among those that can end so. */
  | { readonly do: 'end'; readonly how: Ending; readonly isFit: boolean; readonly share: number; readonly who: Who }
  | { readonly do: 'change'; readonly share: number; readonly who: Who; readonly window: Window }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'withdraw-credential'; readonly credential: number }
  | { readonly do: 'remove-key'; readonly key: number }
  | { readonly do: 'account'; readonly who: number; readonly how: 'disable' | 'enable' | 'delete' }
  | { readonly do: 'move'; readonly who: number; readonly to: 'fresh' | number };

export const peopleCount = 4;
export const browserCount = 3;

const person = fc.nat(peopleCount - 1);
const share = fc.nat(30);
const isFit = fc.constantFrom(true, true, true, true, false);
const window: fc.Arbitrary<Window> = fc.constantFrom(
  { from: null, until: null },
  { from: null, until: null },
  { from: null, until: null },
  { from: null, until: 7200 },
  { from: 60, until: 7200 },
  { from: 3600, until: null },
);
const who: fc.Arbitrary<Who> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Who>('giver', 'recipient', 'above') },
  { weight: 1, arbitrary: person },
);
const give = (isTaken: boolean): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constant('give' as const),
    isFit,
    who: person,
    key: fc.nat(2),
    to: person,
    depth: fc.constantFrom(3, 3, 2, 1, 0, 4),
    window,
    uses: fc.constantFrom(null, null, null, null, null, 2),
    isTaken: fc.constant(isTaken),
  });

/** A step by chance: giving and taking come often, what ends everything seldom. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: give(true) },
  { weight: 3, arbitrary: give(false) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('deliver' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), share, browser: fc.nat(browserCount - 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      browser: fc.nat(browserCount - 1),
      typed: fc.constantFrom<'theirs' | 'wrong' | number>('theirs', 'theirs', 'wrong', 0, 1, 2),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      how: fc.constantFrom<Ending>('decline', 'leave', 'withdraw', 'revoke', 'disable', 'enable', 'disable', 'enable'),
      isFit,
      share,
      who,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('change' as const), share, who, window }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 60, 60, 60, 900, 900, 3600, 3600, 86_400 * 31),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw-credential' as const), credential: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove-key' as const), key: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('account' as const),
      who: person,
      how: fc.constantFrom(
        'disable' as const,
        'enable' as const,
        'enable' as const,
        'disable' as const,
        'delete' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      who: person,
      to: fc.constantFrom<'fresh' | number>('fresh', 0, 1, 2),
    }),
  },
);

export const sequences = fc.array(step, { minLength: 5, maxLength: 30, size: 'max' });
