// Acknowledged means enforced: which edges a confirmation waits for, for how long, and which edges are ended.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type EndReason, Enforcement } from '../../../gateway/control/node/enforcement.ts';
import { memoryLogger } from '../../support/rigs/control.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start(canEnd = true) {
  const ended: string[] = [];
  const { logger, said } = memoryLogger();
  const counts = { slow: 0, silent: 0, disobedient: 0, unconfirmed: 0 };
  const counters = {
    slow: () => {
      counts.slow += 1;
    },
    ended: (reason: EndReason) => {
      counts[reason] += 1;
    },
    unconfirmed: () => {
      counts.unconfirmed += 1;
    },
  };
  const enforcement = new Enforcement({
    logger,
    counters,
    silentMs: 1000,
    endEdge: canEnd ? (edge) => ended.push(edge) : null,
  });
  /** Whether a confirmation of this place has come, asked later. */
  const confirm = (seq: number, epoch = 'e') => {
    const state: { isDone: boolean; error: Error | null } = { isDone: false, error: null };
    enforcement.confirm({ epoch, seq }).then(
      () => {
        state.isDone = true;
      },
      (error: Error) => {
        state.error = error;
      },
    );
    return state;
  };
  const turn = () => vi.advanceTimersByTimeAsync(0);
  return { enforcement, ended, counts, said, confirm, turn };
}

const at = (seq: number, epoch = 'e') => ({ epoch, seq });

test('without edges a change is confirmed at once', async () => {
  const { confirm, turn } = start();
  const state = confirm(5);
  await turn();
  expect(state.isDone).toBe(true);
});

test('a change is confirmed once every edge reports that it acts on its place in the log, or on a later place', async () => {
  const { enforcement, confirm, turn } = start();
  for (const edge of ['e1', 'e2']) {
    enforcement.joined(edge);
    enforcement.applied(edge, at(4));
  }
  const state = confirm(5);
  enforcement.applied('e1', at(5));
  enforcement.applied('e2', at(4));
  await turn();
  expect(state.isDone).toBe(false);
  enforcement.applied('e2', at(7));
  await turn();
  expect(state.isDone).toBe(true);
});

test('an edge is silent after two seconds by default', async () => {
  const ended: string[] = [];
  const { logger } = memoryLogger();
  const enforcement = new Enforcement({ logger, endEdge: (edge) => ended.push(edge) });
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  void enforcement.confirm(at(5));
  await vi.advanceTimersByTimeAsync(1999);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual(['e1']);
  enforcement.gone('e1');
});

test('a silent edge is ended once, when its time is over, and the answer comes after its end', async () => {
  const { enforcement, ended, confirm, turn } = start();
  for (const edge of ['e1', 'e2']) {
    enforcement.joined(edge);
    enforcement.applied(edge, at(4));
  }
  const states = [confirm(5), confirm(6)];
  enforcement.applied('e1', at(6));
  await vi.advanceTimersByTimeAsync(999);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(ended).toEqual(['e2']);
  expect(states.map((state) => state.isDone)).toEqual([false, false]);
  enforcement.gone('e2');
  await turn();
  expect(states.map((state) => state.isDone)).toEqual([true, true]);
});

test('a control that was busy reads its edges’ reports before it ends an edge, and does not wait for ever', async () => {
  const { logger } = memoryLogger();
  const ended: string[] = [];
  let busyMs = 0;
  const nowMs = () => performance.now() + busyMs;
  const enforcement = new Enforcement({ logger, endEdge: (edge) => ended.push(edge), nowMs });
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  let isDone = false;
  void enforcement.confirm(at(5)).then(() => {
    isDone = true;
  });
  busyMs = 400;
  await vi.advanceTimersByTimeAsync(250);
  expect(ended).toEqual([]);
  enforcement.applied('e1', at(5));
  await vi.advanceTimersByTimeAsync(0);
  expect(isDone).toBe(true);

  enforcement.confirm(at(6)).catch(() => undefined);
  for (let turn = 0; turn < 16; turn++) {
    busyMs += 400;
    await vi.advanceTimersByTimeAsync(250);
  }
  expect(ended).toEqual(['e1']);
});

test('an edge whose feed ended goes on serving, so it is waited for', async () => {
  const { enforcement, ended, confirm } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  enforcement.left('e1');
  const state = confirm(5);
  await vi.advanceTimersByTimeAsync(1000);
  expect([ended, state.isDone]).toEqual([['e1'], false]);
});

test('an edge that reconnected has to report again which place it acts on', async () => {
  const { enforcement, confirm, turn } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(5));
  enforcement.left('e1');
  enforcement.joined('e1');
  const state = confirm(5);
  await turn();
  expect(state.isDone).toBe(false);
  enforcement.applied('e1', at(5));
  await turn();
  expect(state.isDone).toBe(true);
});

test('an edge that is starting, or ran before this control, gets more time', async () => {
  const { enforcement, ended, confirm } = start();
  enforcement.expect(['e1']);
  enforcement.joined('e2');
  confirm(5);
  await vi.advanceTimersByTimeAsync(4999);
  expect(ended).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toEqual(['e1', 'e2']);
});

test('a busy edge that reports that it refuses revoked tokens is never ended, and the caller is answered at the bound', async () => {
  const { enforcement, ended, confirm } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  enforcement.refuses('e1', at(5));
  await vi.advanceTimersByTimeAsync(4999);
  expect([ended, state.isDone]).toEqual([[], false]);
  await vi.advanceTimersByTimeAsync(1);
  expect([ended, state.isDone, state.error]).toEqual([[], true, null]);
});

test('an edge that refuses only earlier revocations counts as disobedient', async () => {
  const { enforcement, ended, confirm } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  enforcement.refuses('e1', at(4));
  await vi.advanceTimersByTimeAsync(1250);
  expect([ended, state.isDone]).toEqual([['e1'], false]);
});

test('an edge that still talks counts as slow and is not ended at its first missed deadline', async () => {
  const { enforcement, ended, counts, said, confirm } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  for (let round = 0; round < 9; round++) {
    await vi.advanceTimersByTimeAsync(500);
    enforcement.heard('e1');
  }
  expect([ended, state.isDone]).toEqual([[], false]);
  expect(counts).toEqual({ slow: 1, silent: 0, disobedient: 0, unconfirmed: 0 });
  enforcement.applied('e1', at(5));
  await vi.advanceTimersByTimeAsync(0);
  expect([ended, state.isDone, state.error]).toEqual([[], true, null]);
  expect(said()).toContain('an edge is slow to confirm');
  expect(said()).not.toContain('is ended');
});

test('an edge that talks and never confirms is disobedient at the bound, and the answer comes after its end', async () => {
  const { enforcement, ended, counts, said, confirm, turn } = start();
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  for (let round = 0; round < 10; round++) {
    await vi.advanceTimersByTimeAsync(500);
    enforcement.heard('e1');
  }
  expect([ended, state.isDone]).toEqual([['e1'], false]);
  expect(counts).toEqual({ slow: 1, silent: 0, disobedient: 1, unconfirmed: 0 });
  expect(said()).toContain('did not act on a revocation');
  enforcement.gone('e1');
  await turn();
  expect([state.isDone, state.error]).toEqual([true, null]);
});

test('repeated ends in one slot come later and later, and the caller is told that the change is not confirmed', async () => {
  const { enforcement, ended, counts, confirm } = start();
  const fail = async (edge: string) => {
    enforcement.joined(edge);
    enforcement.applied(edge, at(4));
    const state = confirm(5);
    const before = ended.length;
    let waited = 0;
    while (ended.length === before && state.error === null && waited < 10_000) {
      await vi.advanceTimersByTimeAsync(250);
      waited += 250;
    }
    if (ended.length > before) enforcement.gone(edge);
    await vi.advanceTimersByTimeAsync(0);
    const fate = ended.length > before ? `ended after ${waited}` : `${state.error?.message} after ${waited}`;
    if (ended.length === before) enforcement.gone(edge);
    return fate;
  };
  const fates: string[] = [];
  for (const edge of ['e1', 'e1.2', 'e1.3', 'e1.4', 'e1.5']) fates.push(await fail(edge));
  expect(fates).toEqual([
    'ended after 1000',
    'ended after 2000',
    'ended after 4000',
    'ended after 5000',
    'an edge has not confirmed the change in time after 5000',
  ]);
  expect(counts).toMatchObject({ silent: 4, unconfirmed: 1 });
  // another place is judged by itself, and a good minute for each takes it all back
  expect(await fail('e2')).toBe('ended after 1000');
  await vi.advanceTimersByTimeAsync(300_000);
  expect(await fail('e1.6')).toBe('ended after 1000');
});

test('after a restore, a report in the new epoch confirms places of the epoch before', async () => {
  const { enforcement, confirm, turn } = start();
  enforcement.began('e');
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  enforcement.began('restored');
  enforcement.applied('e1', at(1, 'restored'));
  await turn();
  expect(state.isDone).toBe(true);
});

test('a report that still names the epoch before a restore confirms no place after the restore', async () => {
  const { enforcement, confirm, turn } = start();
  enforcement.began('e');
  enforcement.joined('e1');
  enforcement.applied('e1', at(9));
  enforcement.began('restored');
  const state = confirm(2, 'restored');
  // it was on its way when the edge was sent the new index
  enforcement.applied('e1', at(10));
  await turn();
  expect(state.isDone).toBe(false);
  enforcement.applied('e1', at(2, 'restored'));
  await turn();
  expect(state.isDone).toBe(true);
});

test('where edges cannot be ended, an edge whose feed ended counts as gone', async () => {
  const { enforcement, confirm, turn } = start(false);
  enforcement.joined('e1');
  enforcement.applied('e1', at(4));
  const state = confirm(5);
  await vi.advanceTimersByTimeAsync(4000);
  expect(state.isDone).toBe(false);
  enforcement.left('e1');
  await turn();
  expect(state.isDone).toBe(true);
});
