// The bench's command line.

import { expect, it } from 'vitest';
import { parseOptions } from '../../bench/options.ts';

const names = ['latchkey', 'nginx'];

it('has defaults for a full run, and shorter ones with --quick', () => {
  expect(parseOptions([], names)).toMatchObject({
    kind: 'run',
    options: { rounds: 2, turns: 6, seconds: 4, only: null },
  });
  expect(parseOptions(['--quick'], names)).toMatchObject({ options: { rounds: 1, seconds: 1 } });
  expect(parseOptions(['--quick', '--rounds', '2'], names)).toMatchObject({ options: { rounds: 2, seconds: 1 } });
});

it('takes a list of proxies', () => {
  expect(parseOptions(['--only', 'nginx, latchkey'], names)).toMatchObject({
    options: { only: ['nginx', 'latchkey'] },
  });
});

it.each([
  [['--only', 'ngnix'], 'ngnix'],
  [['--rounds', '0'], '--rounds'],
  [['--turns', '1001'], '--turns'],
  [['--seconds', '1.5'], '--seconds'],
  [['--rate', 'fast'], '--rate'],
  [['--fast'], '--fast'],
])('refuses %j and names the problem', (args, named) => {
  const parsed = parseOptions(args, names);
  expect(parsed.kind).toBe('wrong');
  if (parsed.kind === 'wrong') expect(parsed.problem).toContain(named);
});
