// What the model of shared keys knows: people, credentials, keys, shares and requests by number, and the product's numbers. Imports nothing.

/** What a step has to end with. `either`: the promise leaves it open, so the model follows what happened. */
type Expected = 'done' | 'refused' | 'either';

/** What the model says of a step before it is tried. */
export interface Forecast {
  readonly expected: Expected;
  /** Makes the model follow; called when the step was done. @param made  what the share came out as, for steps that make or change one */
  readonly follow: (made?: MadeShare | Window) => void;
}

/** First moment, and first moment that is too late; null for none. */
export interface Window {
  readonly from: number | null;
  readonly until: number | null;
}

/** What a new share came out as. */
export interface MadeShare extends Window {
  readonly parent: number | null;
}

export type Ending = 'decline' | 'leave' | 'withdraw' | 'revoke' | 'disable' | 'enable';

export interface Person {
  address: string;
  state: 'active' | 'disabled' | 'gone';
}

export interface Credential {
  readonly owner: number;
  isWithdrawn: boolean;
  readonly from: number | null;
  readonly until: number | null;
}

export interface Key {
  readonly credential: number;
  readonly path: string;
  isRemoved: boolean;
}

export interface Share {
  readonly key: number;
  readonly giver: number;
  readonly address: string;
  readonly parent: number | null;
  readonly depthBelow: number;
  state: 'pending' | 'accepted' | 'declined' | 'withdrawn' | 'revoked' | 'disabled';
  holder: number | null;
  from: number | null;
  until: number | null;
  readonly isCounted: boolean;
  isMailed: boolean;
  readonly expires: number;
}

export interface Asked {
  readonly share: number;
  readonly until: number;
  isSpent: boolean;
}

export interface Gift {
  readonly giver: number;
  readonly key: number;
  readonly address: string;
  readonly depthBelow: number;
  readonly from: number | null;
  readonly until: number | null;
  readonly uses: number | null;
}

/** From which states each step ends, stops or goes on, and where it leads. */
export const endsFrom: Readonly<Record<Ending, readonly Share['state'][]>> = {
  decline: ['pending'],
  leave: ['accepted', 'disabled'],
  withdraw: ['pending'],
  revoke: ['accepted', 'disabled'],
  disable: ['accepted'],
  enable: ['disabled'],
};
export const endsAs = {
  decline: 'declined',
  leave: 'declined',
  withdraw: 'withdrawn',
  revoke: 'revoked',
  disable: 'disabled',
  enable: 'accepted',
} as const satisfies Record<Ending, Share['state']>;

/** How long a pending share can be accepted, and a request counts. */
export const pendingSeconds = 30 * 86_400;
export const requestSeconds = 900;
/** The most shares below each other that a giver may allow. */
export const deepest = 3;
export const mostRequests = 5;
