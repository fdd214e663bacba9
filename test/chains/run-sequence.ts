// Takes one sequence of steps through the model and the real parts side by side. After each step everybody asks for every place, and the
// answer has to be the model's. Answers from before are looked at again: one that nothing ended may not open more than the model does now,
// and a refusal that nothing touched may not hold back what the model opens, for edges keep both.

import type { ControlContext } from '../../gateway/control/context/control-context.ts';
import type { AccessAnswer } from '../../gateway/core/decision/state/access.ts';
import type { TestClock } from '../support/store/stores.ts';
import { ShareModel } from './model.ts';
import { endsFrom, type Forecast, type MadeShare, type Window } from './model-rows.ts';
import { browserCount, peopleCount, type Step, type Who } from './steps.ts';
import { plan, World } from './world.ts';

/** An answer that an edge would still have. */
interface Kept {
  readonly person: number;
  readonly path: string;
  readonly answer: AccessAnswer;
}

/** What came up in the sequences of a run, so that a run that tried nothing is seen. */
export type Tally = Map<string, number>;

const mostKept = 200;

/** @throws Error  at the first difference; its message says the step and what differs */
export async function runSequence(
  context: ControlContext,
  clock: TestClock,
  { steps, name, tally }: { readonly steps: readonly Step[]; readonly name: string; readonly tally: Tally },
): Promise<void> {
  const addresses = Array.from({ length: peopleCount }, (_, person) => `p${person}.${name}@example.org`);
  const world = await World.make(context, clock, addresses);
  const model = new ShareModel(
    clock.now,
    addresses.map((address) => ({ address, state: 'active' })),
    plan.credentials.map(({ owner, from, until }) => ({
      owner,
      isWithdrawn: false,
      from: from === null ? null : clock.now + from,
      until: until === null ? null : clock.now + until,
    })),
    plan.keys.map(({ credential, path }) => ({ credential, path, isRemoved: false })),
  );
  const run = new Run(context, clock, world, model, tally);
  await run.check('the beginning');
  for (const [index, step] of steps.entries()) {
    const at = `step ${index + 1}, ${JSON.stringify(step)}`;
    await run.take(step, at);
    await run.check(at);
  }
  await run.checkHeld();
}

class Run {
  readonly #context: ControlContext;
  readonly #clock: TestClock;
  readonly #world: World;
  readonly #model: ShareModel;
  readonly #tally: Tally;
  readonly #kept: Kept[] = [];
  #readUpTo = 0;
  #moves = 0;
  /** What the people had in the beginning. */
  readonly #addresses: readonly string[];
  /** The place of the log where each node was revoked, and each subject touched, last. */
  readonly #revoked = new Map<string, number>();
  readonly #touched = new Map<string, number>();

  constructor(context: ControlContext, clock: TestClock, world: World, model: ShareModel, tally: Tally) {
    this.#context = context;
    this.#clock = clock;
    this.#world = world;
    this.#model = model;
    this.#tally = tally;
    this.#addresses = model.people.map(({ address }) => address);
  }

  async take(step: Step, at: string): Promise<void> {
    const model = this.#model;
    const world = this.#world;
    const count = model.shares.length;
    switch (step.do) {
      case 'give':
        return await this.#give(step, at);
      case 'deliver':
        await world.deliver();
        return model.deliver();
      case 'ask': {
        if (count === 0) return;
        const share = step.share % count;
        const forecast = model.ask(step.browser, share);
        return this.#judge(step.do, at, forecast, await world.request(step.browser, share));
      }
      case 'accept':
        return await this.#accept(step.browser, step.typed, at);
      case 'end': {
        if (count === 0) return;
        const fit = model.shares.flatMap(({ state }, index) => (endsFrom[step.how].includes(state) ? [index] : []));
        const share = (step.isFit ? fit[step.share % fit.length] : null) ?? step.share % count;
        const by = this.#who(step.who, share);
        const forecast = model.end(share, step.how, by);
        // who is not active has no session to say it in
        if (model.people[by]?.state !== 'active') return;
        return this.#judge(step.how, at, forecast, await world.end(share, step.how, by));
      }
      case 'change': {
        if (count === 0) return;
        const share = step.share % count;
        const window = this.#window(step.window);
        const by = this.#who(step.who, share);
        const forecast = model.change(share, by, window);
        const made = await world.change(share, by, window);
        return this.#judge(step.do, at, forecast, made !== null, made ?? undefined);
      }
      case 'wait':
        this.#clock.now += step.seconds;
        model.now += step.seconds;
        // nobody stays signed in unseen for a month
        return await world.signIn();
      case 'withdraw-credential': {
        const forecast = model.withdrawCredential(step.credential);
        return this.#judge(step.do, at, forecast, await world.withdrawCredential(step.credential));
      }
      case 'remove-key': {
        const forecast = model.removeKey(step.key);
        return this.#judge(step.do, at, forecast, await world.removeKey(step.key));
      }
      case 'account': {
        const forecast = model.setAccount(step.who, step.how);
        return this.#judge(step.how, at, forecast, await world.setAccount(step.who, step.how));
      }
      case 'move': {
        const address =
          step.to === 'fresh' ? `m${this.#moves++}.${this.#addresses[step.who]}` : this.#addresses[step.to];
        const forecast = model.move(step.who, address ?? '');
        return this.#judge(step.do, at, forecast, await world.move(step.who, address ?? ''));
      }
      default:
        return step satisfies never;
    }
  }

  /** Everybody asks for every place. */
  async check(at: string): Promise<void> {
    await this.#readLog();
    this.#lookAgain(at);
    const people = Array.from({ length: peopleCount }, (_, person) => person);
    await Promise.all(people.map((person) => this.#checkPerson(person, at)));
  }

  async #checkPerson(person: number, at: string): Promise<void> {
    for (const path of plan.places) {
      const answer = await this.#world.ask(person, path);
      const opens = answer?.kind === 'granted';
      const should = this.#model.opens(person, path);
      this.#count(should ? 'places that opened' : 'places that did not');
      if (opens !== should) fail(at, `person ${person} ${opens ? 'opens' : 'does not open'} ${path}`);
      if (answer !== null && this.#kept.length < mostKept) this.#kept.push({ person, path, answer });
    }
  }

  /** By which shares everybody holds every key, those with a number of uses too. */
  async checkHeld(): Promise<void> {
    for (let person = 0; person < peopleCount; person++) {
      for (let key = 0; key < plan.keys.length; key++) {
        const held = await this.#world.heldBy(person, key);
        const should = this.#model.heldBy(person, key);
        if (String(held) !== String(should))
          fail('the end', `person ${person} holds key ${key} by [${held}], not [${should}]`);
      }
    }
  }

  async #give(step: Extract<Step, { do: 'give' }>, at: string): Promise<void> {
    const { key, uses } = step;
    const model = this.#model;
    const { giver, to, depthBelow } = step.isFit
      ? this.#fit(step)
      : { giver: step.who, to: step.to, depthBelow: step.depth };
    const address = model.people[to]?.address ?? '';
    const gift = { giver, key, address, depthBelow, uses, ...this.#window(step.window) };
    const forecast = model.give(gift);
    const ways = model.waysToGive(giver, key);
    const made = await this.#world.give(gift);
    if (made !== null && !ways.includes(made.parent))
      fail(at, `the share hangs below ${made.parent}, not below one of [${ways}]`);
    const what = made === null || made.parent === null ? 'give' : 'give on';
    this.#judge(what, at, forecast, made !== null, made ?? undefined);
    if (made === null) return;
    if (!step.isTaken) return;
    await this.#world.deliver();
    model.deliver();
    const share = model.shares.length - 1;
    const browser = share % browserCount;
    this.#judge('ask', at, model.ask(browser, share), await this.#world.request(browser, share));
    await this.#accept(browser, to, at);
  }

  /** Of those who can give the key one, of those whom it can be given one, and no more depth than there is. */
  #fit({ who, key, to, depth }: Extract<Step, { do: 'give' }>) {
    const people = Array.from({ length: peopleCount }, (_, person) => person);
    const able = people.filter((person) => this.#model.waysToGive(person, key).length > 0);
    const giver = able[who % able.length] ?? who;
    const fit = this.#model.fitFor(giver, key);
    return { giver, to: fit.people[to % fit.people.length] ?? to, depthBelow: Math.min(depth, fit.depth) };
  }

  async #accept(browser: number, typed: number | 'theirs' | 'wrong', at: string): Promise<void> {
    const asked = this.#model.browsers.get(browser);
    const address = asked === undefined ? undefined : this.#model.shares[asked.share]?.address;
    const theirs = this.#model.people.findIndex((person) => person.address === address);
    const person = typed === 'theirs' ? theirs : typed === 'wrong' ? -1 : typed;
    const password = person < 0 ? null : person;
    const forecast = this.#model.accept(browser, password);
    const isDone = await this.#world.accept(browser, password);
    if (isDone !== null) this.#judge('accept', at, forecast, isDone);
  }

  #judge(what: string, at: string, { expected, follow }: Forecast, isDone: boolean, made?: MadeShare | Window): void {
    this.#count(`${what} ${isDone ? 'done' : 'refused'}`);
    if (expected !== 'either' && isDone !== (expected === 'done')) {
      fail(at, `${what} was ${isDone ? 'done' : 'refused'}, and should be ${expected}`);
    }
    if (isDone) follow(made);
  }

  async #readLog(): Promise<void> {
    const { sql } = this.#context.store;
    const changes = sql.selectFrom('changes').select(['seq', 'kind', 'node']).where('seq', '>', this.#readUpTo);
    for (const { seq, kind, node } of await changes.execute()) {
      this.#readUpTo = Math.max(seq, this.#readUpTo);
      if (kind === 'revoke') this.#revoked.set(node, Math.max(seq, this.#revoked.get(node) ?? 0));
      if (kind === 'revoke' || kind === 'touch') this.#touched.set(node, Math.max(seq, this.#touched.get(node) ?? 0));
    }
  }

  #lookAgain(at: string): void {
    for (const { person, path, answer } of this.#kept) {
      const { seq } = answer.position;
      if (answer.kind === 'none') {
        if (answer.untilAt !== undefined && answer.untilAt <= this.#clock.now) continue;
        const isTouched = answer.subjects.some((subject) => (this.#touched.get(subject) ?? 0) > seq);
        if (!isTouched && this.#model.opens(person, path))
          fail(at, `an old refusal keeps person ${person} out of ${path}`);
        continue;
      }
      const isOver = answer.scope.untilAt !== null && answer.scope.untilAt <= this.#clock.now;
      if (isOver || answer.nodes.some((node) => (this.#revoked.get(node) ?? 0) > seq)) continue;
      const share = this.#world.shareIds.indexOf(answer.grant);
      const isLive = share < 0 ? this.#model.opens(person, path) : this.#model.holds(share);
      if (!isLive) fail(at, `an old pass of person ${person} by ${answer.grant} still opens ${path}`);
    }
  }

  #who(who: Who, share: number): number {
    const { shares, people } = this.#model;
    const row = shares[share];
    if (row === undefined || typeof who === 'number') return Number(who);
    const top = row.parent === null ? row : shares[row.parent];
    if (who === 'giver') return row.giver;
    if (who === 'above') return top?.giver ?? row.giver;
    return (
      row.holder ??
      Math.max(
        0,
        people.findIndex(({ address }) => address === row.address),
      )
    );
  }

  #window({ from, until }: Window): Window {
    const at = (seconds: number | null) => (seconds === null ? null : this.#clock.now + seconds);
    return { from: at(from), until: at(until) };
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }
}

function fail(at: string, what: string): never {
  throw new Error(`at ${at}: ${what}`);
}
