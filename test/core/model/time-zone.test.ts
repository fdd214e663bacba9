// What people mean by a time on their wall clock, also in the nights in which clocks change, and which names are zones at all.

import { describe, expect, test } from 'vitest';
import { isTimeZone, momentOfWallTime, wallClock } from '../../../gateway/core/model/time-zone.ts';

/** @param text  `2026-11-22T09:15`, as a date-time field sends it */
function meant(text: string, zone: string): string {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[-T:]/).map(Number);
  return new Date(momentOfWallTime({ year, month, day, hour, minute }, zone) * 1000).toISOString().slice(0, 16);
}

describe('a time on a wall clock', () => {
  test.each([
    ['2026-11-22T09:15', 'UTC', '2026-11-22T09:15'],
    ['2026-11-22T09:15', 'Europe/Berlin', '2026-11-22T08:15'],
    ['2026-07-22T09:15', 'Europe/Berlin', '2026-07-22T07:15'],
    ['2026-12-31T23:30', 'America/New_York', '2027-01-01T04:30'],
    ['2026-01-01T00:10', 'Pacific/Kiritimati', '2025-12-31T10:10'],
    ['2026-06-01T12:00', 'Asia/Kathmandu', '2026-06-01T06:15'],
  ])('%s in %s is %s UTC', (text, zone, moment) => expect(meant(text, zone)).toBe(moment));

  test.each([
    ['2026-03-29T01:59', 'Europe/Berlin', '2026-03-29T00:59'],
    ['2026-03-29T02:00', 'Europe/Berlin', '2026-03-29T01:00'],
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:00'],
    ['2026-03-29T03:00', 'Europe/Berlin', '2026-03-29T01:00'],
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T07:00'],
    // half an hour only
    ['2026-10-04T02:10', 'Australia/Lord_Howe', '2026-10-03T15:30'],
    // a whole day that never was
    ['2011-12-30T12:00', 'Pacific/Apia', '2011-12-30T10:00'],
  ])('%s in %s, which no clock shows, is the first moment after: %s UTC', (text, zone, moment) =>
    expect(meant(text, zone)).toBe(moment),
  );

  test.each([
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30'],
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30'],
  ])('%s in %s, which clocks show twice, is the first of the two: %s UTC', (text, zone, moment) =>
    expect(meant(text, zone)).toBe(moment),
  );

  test('what a clock shows means the moment at which it was read, but for the second of a doubled hour', () => {
    for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      const clock = wallClock(zone);
      for (let at = 1_767_225_600; at < 1_798_761_600; at += 201 * 3600) {
        const wall = clock(at);
        const moment = momentOfWallTime(wall, zone);
        expect([zone, clock(moment)]).toEqual([zone, wall]);
        expect(moment).toBeLessThanOrEqual(at);
        expect(at - moment).toBeLessThanOrEqual(3600);
      }
    }
  });
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['America/Argentina/Buenos_Aires', true],
  ['Etc/GMT+5', true],
  ['', false],
  ['Europe/Atlantis', false],
  ['+01:00', false],
  ['Europe/Berlin\u0000', false],
  [`Europe/${'a'.repeat(80)}`, false],
])('%j is a time zone: %s', (name, isOne) => expect(isTimeZone(name)).toBe(isOne));
