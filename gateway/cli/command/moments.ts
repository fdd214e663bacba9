// Moments as people type them on a command line, and as tables print them.

import { parseDurationMs } from '../../config/schema/values.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { isoTime } from '../../telemetry/clock.ts';
import { usageError } from './command-error.ts';

/**
 * A member of a request's body from an option: none where the option is absent, null where its text is `noEnd`.
 *
 * @throws CommandError (exit code 2) for a text that is no moment
 */
export function momentMember(
  member: string,
  option: string,
  text: string | undefined,
  now: number,
  noEnd: string | null = null,
): Record<string, number | null> {
  if (text === undefined) return {};
  return { [member]: text === noEnd ? null : readMoment(option, text, now) };
}

/**
 * Reads a moment: how long from now (`7d`, `12h`), or a date with its time zone.
 *
 * @param option  name of the option that has the text, for the message
 * @returns epoch seconds
 * @throws CommandError (exit code 2) for any other text
 */
function readMoment(option: string, text: string, now: EpochSeconds): EpochSeconds {
  const ms = parseDurationMs(text);
  if (ms !== null) return now + Math.round(ms / 1000);
  // a date without a zone would mean another moment on another machine, so the zone is required
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw usageError(
      `${option}: ${JSON.stringify(text)} is no moment`,
      'write 7d or 12h from now, or 2026-07-01T18:00Z',
    );
  }
  return Math.floor(at / 1000);
}

/** A moment as a cell of a table: `2026-07-01T18:00Z`, or `-` for null. */
export function momentText(at: EpochSeconds | null): string {
  return at === null ? '-' : isoTime(at * 1000).replace(/:\d\d\.\d+Z$/, 'Z');
}
