// The table of the throttle: how hard guessing is slowed, and how often something may be asked for. A new kind of secret (a one-time
// password, an API key that people choose) is a row of `guessPolicies`, a new kind of request a row of `windowPolicies`. Numbers only,
// each with its reason; throttle.ts does the counting.
//
// A secret of 256 random bits is not found by trying: hand-overs, links, sessions, device cookies, tokens, codes of mails. A count that is
// asked before such a secret is looked at would protect nothing and would let strangers keep others from their own. Codes of mails, which anybody may
// type, are counted when they are wrong, and the right one keeps nobody waiting.

import type { AccountLimits, SharingConfig } from '../../config/compiled/control-config.ts';
import type { WaitPolicy } from '../../core/model/try-count.ts';

/** The counts that one guess is added to. A guess from a known device or place is counted by `known` alone, a stranger's by all the others. */
export type CounterName =
  /** One name from a device or place that gave the right secret before. No stranger can fill it. */
  | 'known'
  /** One name from one source. */
  | 'pair'
  /** One name from everywhere: for guesses that are spread over a botnet. */
  | 'name'
  /** One IPv4 address or /64, over all names. */
  | 'source'
  /** One /24 or /48, over all names: the holder of a site's block has all sources in it. */
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

/** For counts that one person fills alone. */
const narrow = { firstWaitSeconds: 1, givesFreeTriesBack: false, leakSeconds: hour, rememberSeconds: 7 * day } as const;
/** For counts that many people share. */
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
    /** More than typing errors; only the holder of the device or place has to wait. */
    known: { ...narrow, freeTries: 10, longestWaitSeconds: 15 * minute },
    /**
     * Five are typing errors; then waiting grows, so that a source gets about a hundred guesses a day, the most that
     * NIST SP 800-63B §3.2.2 allows in a row.
     */
    pair: { ...narrow, freeTries: 5, longestWaitSeconds: 15 * minute },
    /** Must not become a way to lock somebody out: known devices and places are exempt, and the longest wait is a minute. */
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
   * account can make a right one, so right codes count as well. Waits stay short, because no device is known here: the neighbours
   * of a guesser wait too, and at one guess a minute a code is not found.
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
  /**
   * Six digits of a mail. Each code has five tries of its own and works in the browser alone that asked for it, so this bounds who asks for
   * ever new codes of ever new addresses. A right code is forgiven.
   */
  'mailed-digits': {
    afterRight: 'forgive',
    counters: {
      source: { ...shared, firstWaitSeconds: 10, freeTries: 20, longestWaitSeconds: minute, leakSeconds: 6 * minute },
      network: { ...shared, firstWaitSeconds: 10, freeTries: 60, longestWaitSeconds: minute, leakSeconds: 72 },
      all,
      flood,
    },
  },
  /** Codes of mails: counted when they do not work, see `refuseCode` (one-time-code.ts). */
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

/** The limits of the configuration that windows are bounded by. */
type WindowLimits = Pick<AccountLimits, 'requestsPerNetwork' | 'mailsPerHour'>;

/** The rates of the configuration that are windows by themselves. */
type WindowRates = Pick<SharingConfig, 'perSender' | 'perAddress'>;

/** The part of the configuration that windows are bounded by. */
export interface WindowConfig {
  readonly accounts: { readonly limits: WindowLimits };
  readonly sharing: WindowRates;
}

/** How many of something may be asked for in a window. */
type WindowPolicy =
  /** A number, or a multiple of a limit of the configuration, rounded up. */
  | {
      readonly most: number | { readonly of: keyof WindowLimits; readonly times: number };
      readonly windowSeconds: number;
    }
  /** Number and window are a rate of the configuration. */
  | { readonly rate: keyof WindowRates };

export const windowPolicies = {
  /**
   * Mails of one kind to one address that anybody can cause: enough for "it did not come", too few to annoy. The last one that
   * was sent still works while further ones are left out: codes live at least as long as the window.
   */
  'mail-recipient': { most: 5, windowSeconds: hour },
  /**
   * Registrations from one address, as many requests for a new password, and as many for a code to sign in. Wide, because a school or an office is one address.
   * Somebody who was invited is not counted: an invitation is a code of its own.
   */
  'request-address': { most: 50, windowSeconds: hour },
  /** The same from one /24 or /48. */
  'requests-per-network': { most: { of: 'requestsPerNetwork', times: 1 }, windowSeconds: hour },
  /**
   * Codes to sign in that are mailed to one address: from one network, so that no stranger elsewhere keeps the owner from a code; and in
   * all, a hundred guesses a day with their five tries, the most that NIST SP 800-63B §3.2.2 allows. A device that the account knows has
   * a count of its own, which no stranger can fill.
   */
  'code-recipient': { most: 5, windowSeconds: hour },
  'codes-of-address': { most: 20, windowSeconds: day },
  /** Sign-ins by the right password, of one account from one known device, and from all others. More than people or scripts need. */
  'sign-in': { most: 100, windowSeconds: hour },
  /** Exports of one account by itself: each reads tens of thousands of rows, so it must not run in a loop. */
  export: { most: 10, windowSeconds: hour },
  /** Refused sign-ins. Counts them and stops nobody; see sessions/record-refusal.ts. */
  'refused-sign-in': { most: Number.POSITIVE_INFINITY, windowSeconds: hour },
  /** Mails that strangers cause, in all. */
  mails: { most: { of: 'mailsPerHour', times: 1 }, windowSeconds: hour },
  /** Neither registrations nor resets nor codes can use all of it, so that a flood of the one leaves room for the others. */
  'mails-register': { most: { of: 'mailsPerHour', times: 1 / 2 }, windowSeconds: hour },
  'mails-reset': { most: { of: 'mailsPerHour', times: 3 / 4 }, windowSeconds: hour },
  'mails-code': { most: { of: 'mailsPerHour', times: 3 / 4 }, windowSeconds: hour },
  /** Mails of one kind about one account, or to one mailbox: a notice is left out only after so many of its kind. */
  'mails-of-account': { most: 60, windowSeconds: hour },
  /** Mails with a link's address that one owner sends: two whole forms, and some once more. Each names an address that the owner typed. */
  'shares-of-account': { most: 120, windowSeconds: hour },
  /** The same to one address, whoever sends them. */
  'shares-to-address': { most: 10, windowSeconds: hour },
  /** Shares of keys that one account offers, mailed or not. */
  'shares-of-sender': { rate: 'perSender' },
  /** Refusals to share, of one giver and for one reason, that the audit log gets a row for. */
  'share-refusals': { most: 1, windowSeconds: hour },
  /** Messages about shares of keys to one address, whoever causes them. One that is blocked is sent later. */
  'share-mails-to-address': { rate: 'perAddress' },
  /**
   * Digits that are mailed to one address for a key, each with their five tries: together a hundred guesses a day, the most that NIST
   * SP 800-63B §3.2.2 allows.
   */
  'key-codes-of-address': { most: 20, windowSeconds: day },
  /** Mails that members and administrators cause: ten times what strangers may. */
  'mails-members': { most: { of: 'mailsPerHour', times: 10 }, windowSeconds: hour },
  'mails-administrators': { most: { of: 'mailsPerHour', times: 10 }, windowSeconds: hour },
} as const satisfies Readonly<Record<string, WindowPolicy>>;

export type WindowKind = keyof typeof windowPolicies;

/** Kinds of all counts of windows. */
export const windowKinds: readonly string[] = Object.keys(windowPolicies);

/** The longest window: nothing is asked of a count that is older. No rate of the configuration has a longer window than a day. */
export const longestWindowSeconds = Math.max(
  ...Object.values(windowPolicies).map((policy) => ('rate' in policy ? day : policy.windowSeconds)),
);

/** How many, and in how many seconds, by the configuration in force. */
export function windowTerms(policy: WindowPolicy, config: WindowConfig): { most: number; windowSeconds: number } {
  if ('rate' in policy) {
    const { count, seconds } = config.sharing[policy.rate];
    return { most: count, windowSeconds: seconds };
  }
  const { most, windowSeconds } = policy;
  return {
    most: typeof most === 'number' ? most : Math.ceil(config.accounts.limits[most.of] * most.times),
    windowSeconds,
  };
}
