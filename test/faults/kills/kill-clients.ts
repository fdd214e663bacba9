// Clients that claim, revoke and look while a gateway is killed under them: their answers go to the journal, and an answer that they
// must never get is a violation. They end nothing themselves, and a missing answer is no violation.

import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserAnswer, NodeBrowser } from '../../support/clients/node-browser.ts';
import type { NodeRig, RigLink } from '../../support/rigs/node-rig.ts';
import { type KillJournal, mayEnter } from './kill-journal.ts';

/** Numbers from 0 up to 1, the same ones for the same seed. */
export type Random = () => number;

const clients = 6;
/** Links that are in play at a time. */
const openLinks = 10;
const mostClaims = 3;
/** After an answer that did not come, longer each time: the gateway needs the machine to come back. */
const shortestRestMs = 50;
const longestRestMs = 800;

export class KillClients {
  readonly violations: string[] = [];
  /** Requests without an answer that says something. */
  unanswered = 0;
  /** By id, the order they were made in; also those that nobody was told of. */
  readonly links = new Map<string, RigLink>();
  /** Revocations that were acknowledged, and by which node. */
  readonly revokedAt = new Map<string, number>();
  readonly #rig: NodeRig;
  readonly #journal: KillJournal;
  readonly #random: Random;
  #folders = 0;
  #running: Promise<unknown> | null = null;
  #isPaused = true;
  /** Ends every rest. */
  #hurry = new AbortController();

  constructor(rig: NodeRig, journal: KillJournal, random: Random) {
    this.#rig = rig;
    this.#journal = journal;
    this.#random = random;
  }

  run(): void {
    this.#isPaused = false;
    this.#hurry = new AbortController();
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#act()));
  }

  /** Resolves when every question has its answer, or none any more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#hurry.abort();
    await this.#running;
  }

  async #act(): Promise<void> {
    let restMs = shortestRestMs;
    while (!this.#isPaused) {
      const before = this.unanswered;
      const dice = this.#random();
      const recent = [...this.links.values()].slice(-openLinks);
      const link = recent[Math.floor(this.#random() * recent.length)];
      if (link === undefined || dice < 0.12) await this.#makeLink();
      else if (dice < 0.65) await this.#claim(link);
      else if (dice < 0.77) await this.#revokeMember(link);
      else if (dice < 0.82) await this.#revokeLink(link);
      else await this.#lookIn();
      if (this.unanswered > before) {
        await pause(restMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
        restMs = Math.min(2 * restMs, longestRestMs);
      } else restMs = shortestRestMs;
    }
  }

  async #makeLink(): Promise<void> {
    const allowed = 1 + Math.floor(this.#random() * mostClaims);
    this.#folders += 1;
    const body = this.#rig.linkOrder(allowed, `f${this.#folders}`);
    const answer = await this.#answer(() => this.#rig.order('links', { node: this.#anyNode(), body }));
    if (answer === null) return;
    if (answer.status !== 201) return this.#violation(`making a link was answered ${answer.status}`);
    const link = this.#rig.linkFrom(answer.text);
    this.#journal.write({ what: 'link', link: link.id, allowed });
    this.links.set(link.id, link);
  }

  /** Sometimes twice at once, as by a visitor who is impatient. */
  async #claim(link: RigLink): Promise<void> {
    const person = Math.floor(this.#random() * this.#rig.people.length);
    const facts = this.#journal.link(link.id);
    const isOver = facts.revoked === 'done' || facts.membersRevoked.get(person) === 'done';
    const isNoneLeft = facts.isFull && !facts.claims.has(person);
    this.#journal.write({ what: 'claim', link: link.id, person, is: 'tried' });
    const times = this.#random() < 0.25 ? 2 : 1;
    await Promise.all(
      Array.from({ length: times }, async () => {
        const answer = await this.#answer(() => this.#person(person).claim(link.url));
        if (answer === null) return;
        switch (verdictOn(answer, link)) {
          case 'granted':
            if (isOver) this.#violation(`person ${person} came in by ${link.id}, which had been taken back`);
            if (isNoneLeft) this.#violation(`person ${person} came in by ${link.id}, which was full`);
            this.#journal.write({ what: 'claim', link: link.id, person, is: 'done' });
            return;
          case 'full':
            this.#journal.write({ what: 'full', link: link.id });
            return;
          case 'over':
          case 'taken-back':
            if (facts.revoked === 'none' && !facts.membersRevoked.has(person))
              this.#violation(`person ${person} was told that ${link.id} is over, and nobody had ended it`);
            return;
          case 'again':
            return;
          case 'other':
            this.#violation(
              `a claim of ${link.id} was answered ${answer.status} ${answer.location ?? titleOf(answer)}`,
            );
        }
      }),
    );
  }

  async #revokeMember(link: RigLink): Promise<void> {
    const facts = this.#journal.link(link.id);
    const claimed = [...facts.claims].filter(([, is]) => is === 'done').map(([person]) => person);
    const person = claimed[Math.floor(this.#random() * claimed.length)];
    if (person === undefined) return;
    const node = this.#anyNode();
    const path = `links/${link.id}/members`;
    const listed = await this.#answer(() => this.#rig.order(path, { node, method: 'GET' }));
    if (listed === null) return;
    const member = listed.status === 200 ? memberOf(listed.text, this.#rig.person(person).accountId) : null;
    if (member === null) return this.#violation(`person ${person}, who claimed ${link.id}, is not among its members`);
    this.#journal.write({ what: 'revoke-member', link: link.id, person, is: 'tried' });
    if (!(await this.#order(`members/${member}/revoke`, node))) return;
    this.revokedAt.set(`${link.id} ${person}`, node);
    this.#journal.write({ what: 'revoke-member', link: link.id, person, is: 'done' });
  }

  async #revokeLink(link: RigLink): Promise<void> {
    const node = this.#anyNode();
    this.#journal.write({ what: 'revoke-link', link: link.id, is: 'tried' });
    if (!(await this.#order(`links/${link.id}/revoke`, node))) return;
    for (const person of this.#rig.people.keys()) {
      const key = `${link.id} ${person}`;
      if (!this.revokedAt.has(key)) this.revokedAt.set(key, node);
    }
    this.#journal.write({ what: 'revoke-link', link: link.id, is: 'done' });
  }

  /** Where somebody was let in, at the node that said that it is over: there it is over at once, whatever dies meanwhile. */
  async #lookIn(): Promise<void> {
    const links = [...this.links.values()];
    const link = links[Math.floor(this.#random() * links.length)];
    if (link === undefined) return;
    const facts = this.#journal.link(link.id);
    const entered = [...facts.claims.keys()];
    const person = entered[Math.floor(this.#random() * entered.length)];
    if (person === undefined) return;
    const before = mayEnter(facts, person);
    const node = this.revokedAt.get(`${link.id} ${person}`) ?? this.#anyNode();
    const answer = await this.#answer(() => this.#person(person, node).fetch(`${link.folder}a.ts`));
    if (answer === null) return;
    if (before === 'no' && answer.status < 300)
      this.#violation(`person ${person} was let in by ${link.id} after that was taken back`);
    // a change may be on its way to another node
    const after = mayEnter(facts, person);
    if (before === 'yes' && after === 'yes' && answer.status !== 200 && this.#rig.nodes.length === 1)
      this.#violation(`person ${person} was answered ${answer.status} where ${link.id} lets them in`);
  }

  /** @returns whether it was acknowledged */
  async #order(path: string, node: number): Promise<boolean> {
    const answer = await this.#answer(() => this.#rig.order(path, { node }));
    if (answer !== null && answer.status !== 200) this.#violation(`${path} was answered ${answer.status}`);
    return answer?.status === 200;
  }

  /** null where no answer came, or one that says that nobody knows. */
  async #answer(ask: () => Promise<BrowserAnswer>): Promise<BrowserAnswer | null> {
    const answer = await ask().catch(() => null);
    if (answer !== null && answer.status < 500) return answer;
    this.unanswered += 1;
    return null;
  }

  #violation(what: string): void {
    this.violations.push(what);
  }

  #anyNode(): number {
    return Math.floor(this.#random() * this.#rig.nodes.length);
  }

  #person(person: number, node = this.#anyNode()): NodeBrowser {
    const { browser } = this.#rig.person(person);
    return browser.through(this.#rig.node(node).pool);
  }
}

function verdictOn(
  answer: BrowserAnswer,
  link: RigLink,
): 'granted' | 'full' | 'over' | 'taken-back' | 'again' | 'other' {
  if (answer.location === new URL(link.folder).pathname) return 'granted';
  // of two at once one takes the other's page away
  if (answer.status === 400 && answer.text.includes('open the link once more')) return 'again';
  if (answer.status === 403 && answer.text.includes('already used')) return 'full';
  // between the claim and its pass
  if (answer.status === 403 && answer.text.includes('not yours to open')) return 'taken-back';
  return answer.status === 410 ? 'over' : 'other';
}

function titleOf(answer: BrowserAnswer): string {
  return /<title>([^<]*)/.exec(answer.text)?.[1] ?? '';
}

function memberOf(text: string, accountId: string): string | null {
  const { members }: { members: readonly { id: string; account: string }[] } = JSON.parse(text);
  return members.find(({ account }) => account === accountId)?.id ?? null;
}
