// What a wall clock shows in a time zone at a moment, and which moment people mean by a time on their wall clock.
// The rules of all zones come from Intl, so that this program has no tables of its own to keep up to date.

import type { EpochSeconds } from './time.ts';

/** The zone of everybody whose zone is not known. */
export const defaultTimeZone = 'UTC';

/** A time on a wall clock, without a zone. `month` counts from 1. */
interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** Whether `name` is a time zone that Intl knows, such as `Europe/Berlin`; names of any other form are not tried. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Names of all zones that people may choose, in the order of the alphabet; the default is not among them. */
export function timeZoneNames(): readonly string[] {
  return Intl.supportedValuesOf('timeZone').filter((name) => name !== defaultTimeZone);
}

/** A clock on the wall of a zone: what it shows at a moment. @param zone  a name for which `isTimeZone` holds */
export function wallClock(zone: string): (at: EpochSeconds) => WallTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at * 1000).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return {
      year: part('year'),
      month: part('month'),
      day: part('day'),
      hour: part('hour'),
      minute: part('minute'),
    };
  };
}

/**
 * The moment at which clocks of a zone show a time. Where summer time begins, a time that no clock shows means the first moment after the
 * gap; where it ends, a time that clocks show twice means the first of the two.
 *
 * @param zone  a name for which `isTimeZone` holds
 */
export function momentOfWallTime(wall: WallTime, zone: string): EpochSeconds {
  const clock = wallClock(zone);
  const shown = secondsOf(wall);
  const offsetAt = (at: EpochSeconds): number => secondsOf(clock(at)) - Math.floor(at / 60) * 60;
  // a zone changes its clocks once in two days at most, so the offset is that of the day before or that of the day after
  const before = offsetAt(shown - 86_400);
  const after = offsetAt(shown + 86_400);
  const meant = [shown - before, shown - after].filter((at) => offsetAt(at) === shown - at);
  if (meant.length > 0) return Math.min(...meant);
  let [early, late] = [shown - after, shown - before];
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (offsetAt(middle) === before) early = middle;
    else late = middle;
  }
  return late;
}

/** Seconds since 1970 of a wall time if its zone were UTC. */
function secondsOf({ year, month, day, hour, minute }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute) / 1000;
}
