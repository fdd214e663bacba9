// A model of keys that people share, written from what the product promises and from nothing of the gateway's own rules: who may give a key
// to whom, what accepting takes, what ends a share, and who can open a place at a moment. It knows people, keys and shares by number.

import {
  type Asked,
  type Credential,
  deepest,
  type Ending,
  endsAs,
  endsFrom,
  type Forecast,
  type Gift,
  type Key,
  type MadeShare,
  mostRequests,
  type Person,
  pendingSeconds,
  requestSeconds,
  type Share,
  type Window,
} from './model-rows.ts';

export class ShareModel {
  now: number;
  readonly people: Person[];
  readonly credentials: Credential[];
  readonly keys: Key[];
  readonly shares: Share[] = [];
  /** What each browser asked for last. */
  readonly browsers = new Map<number, Asked>();
  readonly #asked: Asked[] = [];

  constructor(now: number, people: Person[], credentials: Credential[], keys: Key[]) {
    this.now = now;
    this.people = people;
    this.credentials = credentials;
    this.keys = keys;
  }

  /** Whether a person who is signed in can open a path. */
  opens(person: number, path: string): boolean {
    if (this.people[person]?.state !== 'active') return false;
    const covering = this.keys.flatMap((key, index) => (path.startsWith(key.path) ? [index] : []));
    return covering.some(
      (key) =>
        this.ownsInForce(person, key) ||
        this.shares.some(
          (share, index) => share.key === key && share.holder === person && !share.isCounted && this.holds(index),
        ),
    );
  }

  /** The shares by which a person has a key, counted ones too. */
  heldBy(person: number, key: number): number[] {
    return this.shares.flatMap((share, index) =>
      share.key === key && share.holder === person && this.holds(index) ? [index] : [],
    );
  }

  /** Whether a share is accepted and everything above it is in order. */
  holds(index: number): boolean {
    const share = this.#share(index);
    return share.state === 'accepted' && this.#isInWindow(share) && this.#isAboveInOrder(share);
  }

  ownsInForce(person: number, key: number): boolean {
    return this.#credentialOf(key).owner === person && this.#isInForce(key) && this.#isActive(person);
  }

  give(gift: Gift): Forecast {
    const ways = this.waysToGive(gift.giver, gift.key);
    const follow = (made?: MadeShare | Window) => {
      if (made === undefined || !('parent' in made)) throw new Error('a share was made, and nobody says which');
      this.shares.push({
        key: gift.key,
        giver: gift.giver,
        address: gift.address,
        parent: made.parent,
        depthBelow: gift.depthBelow,
        state: 'pending',
        holder: null,
        from: made.from,
        until: made.until,
        isCounted: gift.uses !== null,
        isMailed: false,
        expires: this.now + pendingSeconds,
      });
    };
    const isNobody = ways.length === 0 || !this.#isActive(gift.giver) || gift.address === '';
    if (isNobody) return { expected: 'refused', follow };
    const isEmpty = ways.some((way) => {
      const { from, until } = this.windowOf(gift, way);
      return until !== null && until <= Math.max(from ?? 0, this.now);
    });
    const isTheirs = ways.some((way) => this.#peopleAbove(gift.key, way).includes(this.#personAt(gift.address) ?? -1));
    const isGiver = this.#personAt(gift.address) === gift.giver;
    if (isGiver || isTheirs) return { expected: 'refused', follow };
    const isTooDeep = ways.every((way) => gift.depthBelow > this.#depthLeft(way));
    if (isTooDeep || this.#hasStanding(gift)) return { expected: 'refused', follow };
    return { expected: isEmpty ? 'either' : 'done', follow };
  }

  /** The shares by which somebody may give a key on, `null` for the own credential: of several the deepest, of those the longest. */
  waysToGive(giver: number, key: number): (number | null)[] {
    if (this.ownsInForce(giver, key)) return [null];
    const held = this.heldBy(giver, key).filter((index) => {
      const share = this.#share(index);
      return !share.isCounted && share.depthBelow >= 1;
    });
    const deepestOf = Math.max(...held.map((index) => this.#share(index).depthBelow));
    const deep = held.filter((index) => this.#share(index).depthBelow === deepestOf);
    const longest = Math.max(...deep.map((index) => this.endOf(index)));
    return deep.filter((index) => this.endOf(index) === longest);
  }

  /** Who could be given a key by a giver, and how many may hang below: those for whom nothing stands in the way. */
  fitFor(giver: number, key: number): { readonly people: number[]; readonly depth: number } {
    const ways = this.waysToGive(giver, key);
    const above = ways.flatMap((way) => this.#peopleAbove(key, way));
    const people = this.people.flatMap((person, index) => {
      const isTheirs = index === giver || above.includes(index) || person.state === 'gone';
      return isTheirs || this.#hasStanding({ giver, key, address: person.address }) ? [] : [index];
    });
    return { people, depth: Math.max(...ways.map((way) => this.#depthLeft(way)), 0) };
  }

  /** The window of a gift, cut to that of the share that it hangs below. */
  windowOf(gift: Window, parent: number | null): Window {
    let { from, until } = gift;
    for (const above of parent === null ? [] : this.#line(parent)) {
      from = above.from === null ? from : Math.max(from ?? 0, above.from);
      until = above.until === null ? until : Math.min(until ?? Number.POSITIVE_INFINITY, above.until);
    }
    return { from, until };
  }

  /** The first moment at which a share does not hold any more, if nothing else happens. */
  endOf(index: number): number {
    const credential = this.#credentialOf(this.#share(index).key);
    const ends = [credential.until, ...this.#line(index).map(({ until }) => until)];
    return Math.min(...ends.map((end) => end ?? Number.POSITIVE_INFINITY));
  }

  /** The transport took the messages that waited. */
  deliver(): void {
    for (const share of this.shares) share.isMailed = true;
  }

  /** A browser that opened the mail asks for the key. */
  ask(browser: number, index: number): Forecast {
    const share = this.#share(index);
    const mine = this.browsers.get(browser);
    const open = this.#asked.filter((asked) => asked.share === index && !asked.isSpent && asked.until > this.now);
    const isKept = mine?.share === index && !mine.isSpent && mine.until > this.now;
    const follow = () => {
      if (isKept) return;
      const asked = { share: index, until: this.now + requestSeconds, isSpent: false };
      this.#asked.push(asked);
      this.browsers.set(browser, asked);
    };
    if (!this.#canStillBeAccepted(share) || !share.isMailed) return { expected: 'refused', follow };
    // a key whose line above is broken may be asked for or not: nothing comes of it
    if (!this.#isAboveInOrder(share) || open.length >= mostRequests) return { expected: 'either', follow };
    return { expected: 'done', follow };
  }

  /** A browser that asked proves who it is. @param typed  whose password was typed; null for nobody's */
  accept(browser: number, typed: number | null): Forecast {
    const asked = this.browsers.get(browser);
    const nothing: Forecast = { expected: 'refused', follow: () => undefined };
    if (asked === undefined || asked.until <= this.now) return nothing;
    const share = this.#share(asked.share);
    const person = this.#personAt(share.address);
    const isThem = person !== null && person === typed && this.#isActive(person);
    // accepting twice is harmless: it may be answered like the first time, and changes nothing
    if (isThem && share.state === 'accepted' && share.holder === person) return { ...nothing, expected: 'either' };
    if (asked.isSpent || !isThem || !this.#canStillBeAccepted(share) || !share.isMailed) return nothing;
    if (!this.#isAboveInOrder(share)) return nothing;
    const isTheirs = person === share.giver || this.#peopleAbove(share.key, share.parent).includes(person);
    return {
      expected: isTheirs ? 'either' : 'done',
      follow: () => {
        share.state = 'accepted';
        share.holder = person;
        asked.isSpent = true;
      },
    };
  }

  end(index: number, how: Ending, by: number): Forecast {
    const share = this.#share(index);
    const isActive = this.#isActive(by);
    const isTold = share.isMailed && this.#personAt(share.address) === by;
    const isRecipient = share.holder === null ? isTold : share.holder === by;
    const isAbove = by === share.giver || this.#peopleAbove(share.key, share.parent).includes(by);
    const isParty = how === 'decline' || how === 'leave' ? isRecipient : isAbove;
    const isFrom = endsFrom[how].includes(share.state);
    const isOver = share.until !== null && share.until <= this.now;
    const hasRunOut = isOver || (share.state === 'pending' && share.expires <= this.now);
    return {
      // of a share whose time is over nothing can be had: whether it can still be ended is left open
      expected: !isActive || !isParty || !isFrom ? 'refused' : hasRunOut ? 'either' : 'done',
      follow: () => {
        share.state = endsAs[how];
      },
    };
  }

  /** The giver sets another window. */
  change(index: number, by: number, window: Window): Forecast {
    const share = this.#share(index);
    const isAbove = by === share.giver || this.#peopleAbove(share.key, share.parent).includes(by);
    const isOpen = share.state === 'pending' || share.state === 'accepted' || share.state === 'disabled';
    const cut = this.windowOf(window, share.parent);
    const isSound = cut.until === null || cut.until > Math.max(cut.from ?? 0, this.now);
    const hasRunOut = share.until !== null && share.until <= this.now;
    const follow = (made?: Window) => {
      share.from = made === undefined ? cut.from : made.from;
      share.until = made === undefined ? cut.until : made.until;
    };
    if (!this.#isActive(by) || !isAbove || !isOpen) return { expected: 'refused', follow };
    const isPendingOver = share.state === 'pending' && share.expires <= this.now;
    return { expected: !isSound || hasRunOut || isPendingOver ? 'either' : 'done', follow };
  }

  withdrawCredential(index: number): Forecast {
    const credential = this.credentials[index];
    const expected = credential === undefined || credential.isWithdrawn ? 'either' : 'done';
    return {
      expected,
      follow: () => {
        if (credential !== undefined) credential.isWithdrawn = true;
      },
    };
  }

  removeKey(index: number): Forecast {
    const key = this.keys[index];
    const isInForce = key !== undefined && !key.isRemoved && this.credentials[key.credential]?.isWithdrawn === false;
    return {
      expected: isInForce ? 'done' : 'either',
      follow: () => {
        if (key !== undefined) key.isRemoved = true;
      },
    };
  }

  setAccount(person: number, how: 'disable' | 'enable' | 'delete'): Forecast {
    const one = this.people[person];
    if (one === undefined || one.state === 'gone') return { expected: 'refused', follow: () => undefined };
    if (how === 'delete') return { expected: 'done', follow: () => this.#delete(person) };
    return {
      expected: 'done',
      follow: () => {
        one.state = how === 'disable' ? 'disabled' : 'active';
      },
    };
  }

  /** A person has another address from now on: what was accepted for the old one ends, what waits there stays there. */
  move(person: number, address: string): Forecast {
    const one = this.people[person];
    const isFree = this.#personAt(address) === null;
    return {
      expected: one?.state === 'active' && isFree ? 'done' : 'refused',
      follow: () => {
        if (one === undefined) return;
        for (const share of this.shares) {
          const isHeld = share.state === 'accepted' || share.state === 'disabled';
          if (isHeld && share.holder === person && share.address === one.address) share.state = 'revoked';
        }
        one.address = address;
      },
    };
  }

  #delete(person: number): void {
    const one = this.people[person];
    if (one === undefined) return;
    for (const credential of this.credentials) if (credential.owner === person) credential.isWithdrawn = true;
    for (const share of this.shares) {
      const isTheirs = share.holder === person || (share.holder === null && share.address === one.address);
      const isStanding = share.state === 'accepted' || share.state === 'disabled';
      if (share.giver === person) {
        if (share.state === 'pending') share.state = 'withdrawn';
        if (isStanding) share.state = 'revoked';
      } else if (isTheirs && (isStanding || share.state === 'pending')) share.state = 'declined';
    }
    one.state = 'gone';
    one.address = '';
  }

  #share(index: number): Share {
    const share = this.shares[index];
    if (share === undefined) throw new Error(`no share ${index}`);
    return share;
  }

  #credentialOf(key: number): Credential {
    const credential = this.credentials[this.keys[key]?.credential ?? -1];
    if (credential === undefined) throw new Error(`no key ${key}`);
    return credential;
  }

  #isActive(person: number): boolean {
    return this.people[person]?.state === 'active';
  }

  #personAt(address: string): number | null {
    const index = this.people.findIndex((person) => person.address === address);
    return index < 0 ? null : index;
  }

  #isInForce(key: number): boolean {
    const { isWithdrawn, from, until } = this.#credentialOf(key);
    return !isWithdrawn && this.keys[key]?.isRemoved === false && this.#isInWindow({ from, until });
  }

  #isInWindow({ from, until }: Window): boolean {
    return (from === null || from <= this.now) && (until === null || until > this.now);
  }

  /** Whether a share would hold, were it accepted and in its own window. */
  #isAboveInOrder(share: Share): boolean {
    if (!this.#isActive(share.giver) || !this.#isInForce(share.key)) return false;
    return share.parent === null || this.holds(share.parent);
  }

  #canStillBeAccepted(share: Share): boolean {
    const isOver = share.until !== null && share.until <= this.now;
    return share.state === 'pending' && share.expires > this.now && !isOver;
  }

  /** A share and those above it. */
  #line(index: number): Share[] {
    const share = this.#share(index);
    return [share, ...(share.parent === null ? [] : this.#line(share.parent))];
  }

  /** The givers of a line, and whoever has the credential. */
  #peopleAbove(key: number, parent: number | null): number[] {
    const givers = parent === null ? [] : this.#line(parent).map(({ giver }) => giver);
    return [...givers, this.#credentialOf(key).owner];
  }

  #depthLeft(parent: number | null): number {
    return parent === null ? deepest : Math.min(deepest, this.#share(parent).depthBelow - 1);
  }

  #hasStanding({ giver, key, address }: Pick<Gift, 'giver' | 'key' | 'address'>): boolean {
    return this.shares.some((share) => {
      if (share.giver !== giver || share.key !== key || share.address !== address) return false;
      if (share.until !== null && share.until <= this.now) return false;
      const isHeld = share.state === 'accepted' || share.state === 'disabled';
      return isHeld || (share.state === 'pending' && share.expires > this.now);
    });
  }
}
