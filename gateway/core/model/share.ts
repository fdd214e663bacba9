// What a share of a key is: its states, what moves it from one to another, and how it reads at a moment.
// Pure. `requested` and `expired` are no states: they are readings of times, so no timer can be late.
// Source: US 9,923,879 (sharing of keys by address); rules: gateway/RULES.md "Shared keys".

import type { EpochSeconds } from './time.ts';

/**
 * `pending`    the address was told, and nobody holds the key by it
 * `accepted`   the account behind the address holds the key: this row is the grant
 * `declined`   the recipient did not want it, or gave it back
 * `withdrawn`  the giver took it back before anybody had accepted it
 * `revoked`    ended for good after it was accepted
 * `disabled`   stopped for a while by the giver
 */
export const shareStates = ['pending', 'accepted', 'declined', 'withdrawn', 'revoked', 'disabled'] as const;
export type ShareState = (typeof shareStates)[number];

interface Transition {
  readonly from: readonly ShareState[];
  readonly to: ShareState;
  /** `giver`: who gave it, and everybody above in its chain; administrators may do what givers may. `latchkey`: by an event elsewhere. */
  readonly by: readonly ('recipient' | 'giver' | 'latchkey')[];
}

/** Everything that moves a share. What is not in this table is refused. */
export const shareTransitions = {
  accept: { from: ['pending'], to: 'accepted', by: ['recipient'] },
  decline: { from: ['pending'], to: 'declined', by: ['recipient'] },
  withdraw: { from: ['pending'], to: 'withdrawn', by: ['giver', 'latchkey'] },
  disable: { from: ['accepted'], to: 'disabled', by: ['giver'] },
  enable: { from: ['disabled'], to: 'accepted', by: ['giver'] },
  leave: { from: ['accepted', 'disabled'], to: 'declined', by: ['recipient'] },
  revoke: { from: ['accepted', 'disabled'], to: 'revoked', by: ['giver', 'latchkey'] },
} as const satisfies Readonly<Record<string, Transition>>;

export type ShareEvent = keyof typeof shareTransitions;

/** The state that an event leads to; null where the event is refused. */
export function stateAfter(state: ShareState, event: ShareEvent): ShareState | null {
  const { from, to }: Transition = shareTransitions[event];
  return from.includes(state) ? to : null;
}

/** What a share reads from: its row, and whether a browser has an open request for it. */
interface ShareReading {
  readonly state: ShareState;
  readonly expiresAt: EpochSeconds;
  readonly usableFromAt: EpochSeconds | null;
  readonly usableUntilAt: EpochSeconds | null;
  readonly hasOpenRequest: boolean;
}

/**
 * A share as people are told of it: its state, or
 * `requested`  pending, and a browser has asked for the key
 * `early`      accepted, and its window has not begun
 * `expired`    its time is over, whether it was accepted or not
 */
export const shareStandings = [...shareStates, 'requested', 'early', 'expired'] as const;
export type ShareStanding = (typeof shareStandings)[number];

export function shareStanding(share: ShareReading, now: EpochSeconds): ShareStanding {
  const { state, usableFromAt, usableUntilAt, expiresAt } = share;
  const isOver = usableUntilAt !== null && usableUntilAt <= now;
  switch (state) {
    case 'pending':
      if (isOver || expiresAt <= now) return 'expired';
      return share.hasOpenRequest ? 'requested' : 'pending';
    case 'accepted':
    case 'disabled':
      if (isOver) return 'expired';
      return state === 'accepted' && usableFromAt !== null && usableFromAt > now ? 'early' : state;
    case 'declined':
    case 'withdrawn':
    case 'revoked':
      return state;
    default:
      return state satisfies never;
  }
}

/** The deepest chain: a share of an owner's key, and six below it. With the nodes above it, that stays below the most nodes of a token. */
export const maxReshareDepth = 6;

/** Longest text of a giver's own words, in characters. */
export const maxWordsLength = 300;

/** The most requests for one share that have a place at a time. */
export const maxOpenRequests = 5;

/** How long a request has a place while its browser does not try to authenticate. Without a place it counts as before, until its end. */
export const requestPlaceSeconds = 60;

/**
 * `url`       a one-time URL, which gives the browser that opens it a pass
 * `path_url`  a URL with its pass inside the path
 * `qr_svg`, `qr_png`  a one-time URL as a picture
 * `bearer`    a token for `Authorization: Bearer`
 * `header`    the same as name and value of a header
 */
export const representationKinds = ['url', 'path_url', 'qr_svg', 'qr_png', 'bearer', 'header'] as const;
export type RepresentationKind = (typeof representationKinds)[number];

/** The longest life of a representation, in seconds; of a one-time URL until it is opened. */
export const representationSeconds = 3600;
export const oneTimeUrlSeconds = 600;
