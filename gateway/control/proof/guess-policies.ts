// How hard guessing is slowed: one row for each kind of secret that can be guessed, one column for each thing that is counted.
// A new kind of secret (a one-time password, an API key that people choose) is a row here; the rule is core/model/try-count.ts, and
// what is counted is count-guess.ts.
//
// What has 256 random bits is not found by trying: hand-overs, links, sessions, device cookies, tokens, codes of mails. A count that is
// asked before one is looked at would protect nothing and would be a way to keep others from theirs. Codes of mails, which anybody may
// type, are counted when they are wrong, and the right one keeps nobody waiting.

import type { WaitPolicy } from '../../core/model/try-count.ts';

/** What is counted of one guess. Somebody known is counted by the first alone; strangers by all the others. */
export type CounterName =
  /** One name from a device or place that gave the right secret before. Nobody else can fill it. */
  | 'known'
  /** One name from one source. */
  | 'pair'
  /** One name from everywhere: for guesses that are spread over a botnet. */
  | 'name'
  /** One IPv4 address or /64, over all names. */
  | 'source'
  /** One /24 or /48, over all names: whoever has a site's block has all sources in it. */
  | 'network'
  /** Everybody who is not known, asked of those whose source or network guessed wrong lately. */
  | 'all'
  /** Everybody who is not known, asked of all of them: wide, so that only a flood from ever new networks fills it. */
  | 'flood';

export interface SecretPolicy {
  readonly counters: Readonly<Partial<Record<CounterName, WaitPolicy>>>;
  /** `forgive`: a right guess is not counted, and clears its pair. `count`: it stays counted, for secrets that people can make themselves. */
  readonly afterRight: 'forgive' | 'count';
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** For what one person fills alone. */
const narrow = { firstWaitSeconds: 1, givesFreeTriesBack: false, leakSeconds: hour, rememberSeconds: 7 * day } as const;
/** For what many people share. */
const shared = { firstWaitSeconds: 1, givesFreeTriesBack: true, rememberSeconds: day } as const;

/** A school or an office is one address. */
const source: WaitPolicy = { ...shared, freeTries: 100, longestWaitSeconds: minute, leakSeconds: 36 };
/** A /24 or a /48 is a neighbourhood: three times as much. */
const network: WaitPolicy = { ...shared, freeTries: 300, longestWaitSeconds: minute, leakSeconds: 12 };
/** Beyond a thousand wrong ones, one in two seconds from networks that are among the guessers. */
const all: WaitPolicy = { ...shared, freeTries: 1000, longestWaitSeconds: 2, leakSeconds: 3 };
/** Beyond ten thousand, one a second from anywhere. */
const flood: WaitPolicy = { ...shared, freeTries: 10_000, longestWaitSeconds: 1, leakSeconds: 1 };

const passwords = {
  afterRight: 'forgive',
  counters: {
    /** More than typing errors; only the holder of the device or place waits for it. */
    known: { ...narrow, freeTries: 10, longestWaitSeconds: 15 * minute },
    /**
     * Five are typing errors; then waiting grows, so that a source gets about a hundred guesses a day, the most that
     * NIST SP 800-63B §3.2.2 allows in a row.
     */
    pair: { ...narrow, freeTries: 5, longestWaitSeconds: 15 * minute },
    /** Must not become a way to lock somebody out: known ones are exempt, the longest wait is a minute. */
    name: { ...narrow, freeTries: 50, longestWaitSeconds: minute },
    source,
    network,
    all,
    flood,
  },
} as const satisfies SecretPolicy;

export const guessPolicies = {
  /** Passwords of accounts, at sign-in and wherever they are asked for again. */
  'account-password': passwords,
  /** Passwords of the users file (Basic). */
  'users-file': passwords,
  /**
   * Codes of "open on another device": 40 random bits and ten minutes, without a name. Ten a source, then waiting; anybody with an
   * account can make a right one, so right ones count as well. Waits stay short, for nobody's device is known here: neighbours of
   * whoever guesses wait with them, and at one a minute nobody finds a code.
   */
  'elsewhere-code': {
    afterRight: 'count',
    counters: {
      source: { ...shared, firstWaitSeconds: 30, freeTries: 10, longestWaitSeconds: minute, leakSeconds: 6 * minute },
      network: { ...shared, firstWaitSeconds: 30, freeTries: 50, longestWaitSeconds: minute, leakSeconds: 72 },
      all,
      flood,
    },
  },
  /** Codes of mails: counted when they do not work, see accounts/wrong-code.ts. */
  'mailed-code': { afterRight: 'count', counters: { source, network, all, flood } },
} as const satisfies Readonly<Record<string, SecretPolicy>>;

export type GuessedSecret = keyof typeof guessPolicies;

/** A source with fewer wrong tries than this, in a network with fewer than that, is not among the guessers. */
export const freshTries = { source: 3, network: 10 } as const;

/** The longest that any count of guesses matters. */
export const longestMemorySeconds = 7 * day;

/** Kinds of all counts of guesses. */
export const guessKinds: readonly string[] = Object.entries(guessPolicies).flatMap(([secret, { counters }]) =>
  Object.keys(counters).map((counter) => `guess-${secret}-${counter}`),
);
