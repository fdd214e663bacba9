// How long the codes, sessions, devices and history of accounts last and how many are kept, each with its reason. Numbers only.
// How often something may be tried or asked for is throttle-policies.ts.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Seconds that a code which was mailed or printed may be used. */
export const codeLifetimes = {
  /** A mail is read on the same day. */
  'verify-address': day,
  'change-address': day,
  /** The code opens the account to anybody who reads the mail, so its life is short. */
  'reset-password': hour,
  /** Long enough for people who are on holiday. */
  invitation: 7 * day,
  /** The code is read from a terminal and used at once. */
  'sign-in': hour,
  /** Six digits can be guessed, so they live as long as it takes to open a mail. The longer code of the same mail ends with them. */
  'mail-code': 10 * minute,
  /** The code lives for one redirect. */
  'hand-over': minute,
} as const;

/** How often the six digits of a mail may be typed: typing errors, and a chance of one in 200,000 for a guesser. */
export const digitTries = 5;

/**
 * Codes of one purpose that one account has at a time, spent codes among them: more than a person needs who opens many hosts in one
 * minute. The newest codes stay.
 */
export const codesKept = 50;
/**
 * Sessions and devices of one account that live at a time. Beyond it those end that were used on one day alone, the oldest first, and
 * then those that were not used the longest: a person who signs in again and again ends their own sessions.
 */
export const liveSessionsKept = 100;
export const liveDevicesKept = 100;
/** Ended sessions, and ended devices, of an account that are kept for its lists and exports. */
export const endedKept = 500;

/** gateway/RULES.md "Token types": a session ends when it was not used for this long. */
export const sessionIdleSeconds = 7 * day;
/** gateway/RULES.md "Token types": and after this long whatever its use. */
export const sessionAbsoluteSeconds = 30 * day;
/** A last use is written at most this often, so that renewals by many hosts are one write. */
export const seenResolutionSeconds = minute;

/**
 * Refused sign-ins of one hour that are written down one by one; after them the 10th, 100th, 1000th and so on. `one`: for one mail
 * address; `network`: from one network, over all; `all`: of everybody, and after those only the round ones in all.
 */
export const refusalsWrittenDown = { one: 3, network: 20, all: 1000 } as const;

/** An account that was named and never verified is forgotten after this long without a code that could verify it. */
export const abandonedAfterSeconds = 30 * day;
/** Ended sessions and devices are kept this long, for "I did not sign out" questions. */
export const keepEndedSeconds = 30 * day;
/** The sealed secret of a link that has ended is kept this long: somebody may take the end back. */
export const keepEndedSecretsSeconds = 3600;
/** An address that a key was offered to, and that never accepted it, is kept this long after the end of the offer. */
export const keepUnansweredSeconds = 30 * day;
/** Codes that ended are kept for a day. They open nothing meanwhile; a clock that was ahead for an hour takes none away. */
export const keepCodesSeconds = day;
/** The history of who did what is kept this long. */
export const keepAuditSeconds = 400 * day;
/** A browser that was not used for this long is unknown again. */
export const keepDevicesSeconds = 400 * day;
