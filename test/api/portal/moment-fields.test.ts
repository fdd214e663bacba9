// Date-time fields: the zone that the page's script names, else that of the account; and what is no date and time.

import { expect, test } from 'vitest';
import { momentField, readMoment } from '../../../gateway/api/portal/fields.ts';

const at = Date.UTC(2026, 10, 22, 8, 15) / 1000;

test.each([
  ['2026-11-22T09:15', 'Europe/Berlin', 'UTC'],
  ['2026-11-22T09:15', '', 'Europe/Berlin'],
  ['2026-11-22T08:15', '', 'UTC'],
  ['2026-11-22T03:15', 'America/New_York', 'Europe/Berlin'],
  [' 2026-11-22T09:15:00 ', 'Europe/Berlin', 'UTC'],
])('%s with the zone %j, else %s, is one moment', (text, zone, timeZone) => {
  expect(readMoment(text, zone, timeZone)).toEqual({ kind: 'moment', at });
});

test.each(['2026-02-30T10:00', '2026-13-01T10:00', '2026-11-22T24:00', '2026-11-22T10:60', 'tomorrow', '2026-11-22'])(
  '%s is no date and time',
  (text) => expect(readMoment(text, '', 'UTC')).toEqual({ kind: 'problem', problem: 'This is no date and time.' }),
);

test('an empty field is none, whatever its zone; a zone that nobody knows is a problem', () => {
  expect(readMoment(' ', 'Nowhere/Atall', 'UTC')).toEqual({ kind: 'none' });
  expect(readMoment('2026-11-22T09:15', 'Nowhere/Atall', 'UTC').kind).toBe('problem');
});

test('a known moment stands in the zone of the account, with the moment itself for the script', () => {
  const field = String(momentField({ name: 'until', label: 'Until', value: at, timeZone: 'America/New_York' }));
  expect(field).toContain('value="2026-11-22T03:15"');
  expect(field).toContain('data-moment="2026-11-22T08:15:00.000Z"');
  expect(field).toContain('Until <span data-zone>(America/New York)</span>');
  const typed = String(momentField({ name: 'until', label: 'Until', value: '"x', timeZone: 'UTC' }));
  expect(typed).toContain('value="&quot;x"');
  expect(typed).not.toContain('data-moment');
});
