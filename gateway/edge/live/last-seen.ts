// Which session, device and grant let a request in, and when last: for the lists that people see of their browsers.
// Kept until control is told, at most once a minute. Bounded: while there is no room, later ones are not noted.

import type { Permit } from '../../core/decision/decide.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Seen } from '../../wire/reports.ts';
import { maxSeenPerReport } from '../../wire/reports.ts';
import type { ControlPort } from './control-questions.ts';
import { holderOf } from './renewals.ts';

const maxKept = 20_000;
/** A use is not noted again within this time. */
export const notedForSeconds = 30;

export class LastSeen {
  #seen = new Map<string, Seen>();

  get size(): number {
    return this.#seen.size;
  }

  /** To be called for allowed requests. Notes nothing of one without a session. */
  note(permit: Permit, now: EpochSeconds): void {
    if (permit.token !== null) permit.token.notedAt = now;
    const holder = permit.claims === null ? null : holderOf(permit.claims, '');
    if (holder === null) return;
    const { session, device } = holder;
    const member = permit.claims?.grant ?? null;
    // ids hold no line feed
    const key = `${session}\n${device}\n${member ?? ''}`;
    if (this.#seen.size >= maxKept && !this.#seen.has(key)) return;
    this.#seen.set(key, { session, device, member, at: now });
  }

  /** Tells control; what control did not take is kept for the next report. */
  async report(control: ControlPort): Promise<void> {
    const all = [...this.#seen];
    this.#seen = new Map();
    for (let start = 0; start < all.length; start += maxSeenPerReport) {
      const part = all.slice(start, start + maxSeenPerReport);
      if (await control.reportSeen(part.map(([, seen]) => seen))) continue;
      for (const [key, seen] of all.slice(start)) {
        // what was noted meanwhile is newer
        if (!this.#seen.has(key) && this.#seen.size < maxKept) this.#seen.set(key, seen);
      }
      return;
    }
  }
}
