// The answers that clients got, written to a file outside of the killed processes before they count; and the facts that follow from them.
// Without an answer a question stays open: both outcomes are right, for as long as they fit the other answers.

import { closeSync, openSync, writeSync } from 'node:fs';

/** `tried` without `done`: nobody knows. */
export type Standing = 'none' | 'tried' | 'done';

/** One line of the file. `person` is the number of an account. */
type JournalEntry =
  | { readonly what: 'link'; readonly link: string; readonly allowed: number }
  | { readonly what: 'claim'; readonly link: string; readonly person: number; readonly is: 'tried' | 'done' }
  | { readonly what: 'full'; readonly link: string }
  | { readonly what: 'revoke-member'; readonly link: string; readonly person: number; readonly is: 'tried' | 'done' }
  | { readonly what: 'revoke-link'; readonly link: string; readonly is: 'tried' | 'done' };

/** What is known of one link. */
export interface LinkFacts {
  readonly id: string;
  readonly allowed: number;
  readonly claims: Map<number, Standing>;
  readonly membersRevoked: Map<number, Standing>;
  revoked: Standing;
  isFull: boolean;
}

export class KillJournal {
  readonly links = new Map<string, LinkFacts>();
  /** Answers that somebody was given and relies on. */
  acknowledged = 0;
  readonly #file: number;

  /** @param path  must not lie in the folder of a node */
  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600);
  }

  write(entry: JournalEntry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    if (this.#take(entry)) this.acknowledged += 1;
  }

  /** Facts of a link that was acknowledged. */
  link(id: string): LinkFacts {
    const facts = this.links.get(id);
    if (facts === undefined) throw new Error(`${id} was never made`);
    return facts;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** @returns whether somebody was told that something is done */
  #take(entry: JournalEntry): boolean {
    switch (entry.what) {
      case 'link':
        this.links.set(entry.link, {
          id: entry.link,
          allowed: entry.allowed,
          claims: new Map(),
          membersRevoked: new Map(),
          revoked: 'none',
          isFull: false,
        });
        return true;
      case 'claim':
        return raise(this.link(entry.link).claims, entry.person, entry.is);
      case 'full':
        this.link(entry.link).isFull = true;
        return true;
      case 'revoke-member':
        return raise(this.link(entry.link).membersRevoked, entry.person, entry.is);
      case 'revoke-link': {
        const facts = this.link(entry.link);
        if (facts.revoked !== 'done') facts.revoked = entry.is;
        return entry.is === 'done';
      }
      default:
        return entry satisfies never;
    }
  }
}

/** What is done stays done. */
function raise(standings: Map<number, Standing>, person: number, is: 'tried' | 'done'): boolean {
  if (standings.get(person) !== 'done') standings.set(person, is);
  return is === 'done';
}

/** Whether somebody may get in by a link, by all that was said of it. */
export function mayEnter(facts: LinkFacts, person: number): 'yes' | 'no' | 'unknown' {
  const claimed = facts.claims.get(person) ?? 'none';
  const revocations = [facts.revoked, facts.membersRevoked.get(person) ?? 'none'];
  if (claimed === 'none' || revocations.includes('done')) return 'no';
  return claimed === 'done' && !revocations.includes('tried') ? 'yes' : 'unknown';
}
