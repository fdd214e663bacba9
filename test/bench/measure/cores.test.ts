// Which core each side of a measurement gets.

import { expect, it } from 'vitest';
import { parseCoreList, pin, planCores } from '../../../bench/measure/cores.ts';

it('reads ranges and single cores of a kernel core list', () => {
  expect(parseCoreList(' 0-2,5\n')).toEqual([0, 1, 2, 5]);
  expect(parseCoreList('')).toEqual([]);
});

it('gives the proxy a core of its own when there are two', () => {
  expect(planCores([0, 1], true)).toEqual({ kind: 'pinned', proxy: 1, backend: 0, load: 0 });
});

it('gives each side a core of its own when there are three', () => {
  expect(planCores([2, 4, 6], true)).toEqual({ kind: 'pinned', proxy: 6, backend: 2, load: 4 });
});

it('pins nothing without taskset or with one core, and says why', () => {
  expect(planCores([0, 1], false)).toEqual({ kind: 'free', why: 'taskset is not installed' });
  expect(planCores([0], true)).toEqual({ kind: 'free', why: 'only one core' });
});

it('puts taskset in front of a pinned command only', () => {
  const plan = planCores([0, 1], true);
  expect(pin(plan, 'proxy', ['nginx', '-v'])).toEqual(['taskset', '-c', '1', 'nginx', '-v']);
  expect(pin(planCores([0], true), 'proxy', ['nginx'])).toEqual(['nginx']);
});
