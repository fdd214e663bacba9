// The time of an answer reveals nothing: it waits for the same statements whether an address is known or not, and the work that follows is equal too.
// The tests count statements and use no clock.

import type { KyselyPlugin, RootOperationNode } from 'kysely';
import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { registerAccount } from '../../../gateway/control/accounts/register-account.ts';
import { requestAddressChange } from '../../../gateway/control/accounts/request-address-change.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import type { ControlContext } from '../../../gateway/control/context/control-context.ts';
import { requestMailCode } from '../../../gateway/control/sessions/request-mail-code.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';

const operator = { kind: 'operator' } as const;
const password = 'tall ships sail at dawn';
const known = 'anna@example.org';
const unknown = 'nobody@example.org';

interface Counted {
  readonly context: ControlContext;
  /** What was asked of the store since the last call: one line for each unit, `read` before what is outside of units. */
  readonly take: () => string[];
}

/** The context with every statement written down. */
function countStatements(site: TestContext): Counted {
  let lines: string[] = [];
  const spy = (line: string[]): KyselyPlugin => ({
    transformQuery({ node }) {
      line.push(nameOf(node));
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const reads: KyselyPlugin = {
    transformQuery({ node }) {
      lines.push(`read ${nameOf(node)}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const write: ControlContext['write'] = (work) =>
    site.store.write(async (unit) => {
      const line: string[] = [];
      const value = await work({ ...unit, sql: unit.sql.withPlugin(spy(line)) });
      lines.push(line.join(', '));
      return value;
    });
  const store = { ...site.store, sql: site.store.sql.withPlugin(reads), write };
  return {
    context: { ...site.context, store, write },
    take: () => {
      const taken = lines;
      lines = [];
      return taken;
    },
  };
}

function nameOf(node: RootOperationNode): string {
  return node.kind.replace('QueryNode', '').toLowerCase();
}

async function makeSite(): Promise<Counted & { readonly site: TestContext }> {
  const site = await makeContext({ yaml: 'accounts: { registration: open, domains: [example.org] }\n' });
  for (const email of [known, 'bert@example.org']) {
    await createAccount(site.context, operator, { email, invited: false, password });
  }
  return { ...countStatements(site), site };
}

/** What is waited for, and how many statements follow. */
async function workOf(counted: Counted, ask: () => Promise<unknown>) {
  counted.take();
  const answer = await ask();
  const waited = counted.take();
  await counted.context.afterwards.settled();
  const followed = counted.take();
  return { answer, waited, followed: followed.map((line) => line.split(', ').length) };
}

test.each([
  ['a new password', requestPasswordReset],
  ['an account', registerAccount],
] as const)('who asks for %s gets the answer before the address is looked up', async (_name, ask) => {
  const counted = await makeSite();
  const askFor = (email: string) => workOf(counted, () => ask(counted.context, { email, clientAddress: '192.0.2.1' }));
  const [first, second] = [await askFor(known), await askFor(unknown)];
  expect(second.answer).toEqual(first.answer);
  // a count by address and network, and a count by mailbox
  expect(first.waited).toEqual(['select, insert, select, insert']);
  expect(second.waited).toEqual(first.waited);
  // one unit for each, of nearly the same size
  expect([first.followed.length, second.followed.length]).toEqual([1, 1]);
  expect(Math.abs((first.followed[0] ?? 0) - (second.followed[0] ?? 0))).toBeLessThanOrEqual(2);
});

test('who asks for a code to sign in gets the answer before the address is looked up', async () => {
  const counted = await makeSite();
  const askFor = (email: string) =>
    workOf(counted, async () => {
      const way = null;
      return (await requestMailCode(counted.context, { ...browser, email, way })).kind;
    });
  const [first, second] = [await askFor(known), await askFor('bert@elsewhere.example')];
  expect([first.answer, first.waited]).toEqual(['accepted', ['select, insert']]);
  expect([second.answer, second.waited]).toEqual([first.answer, first.waited]);
  expect([first.followed.length, second.followed.length]).toEqual([1, 1]);
  expect(Math.abs((first.followed[0] ?? 0) - (second.followed[0] ?? 0))).toBeLessThanOrEqual(2);
});

test('a change to a taken address runs the same statements as a change to a free address', async () => {
  const counted = await makeSite();
  const { site } = counted;
  const outcome = await signIn(site.context, { ...browser, email: known, password });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  const actor = await site.actor(outcome.session);
  const changeTo = (newEmail: string) =>
    workOf(counted, () =>
      requestAddressChange(counted.context, actor, { newEmail, password, clientAddress: '192.0.2.1' }),
    );
  const [taken, free] = [await changeTo('bert@example.org'), await changeTo(unknown)];
  expect(free.answer).toEqual(taken.answer);
  expect(free.waited).toEqual(taken.waited);
  expect(Math.abs((taken.followed[0] ?? 0) - (free.followed[0] ?? 0))).toBeLessThanOrEqual(2);
});

test('a sign-in with an unknown address runs the same statements as one with a wrong password', async () => {
  const counted = await makeSite();
  const enter = (email: string, clientAddress: string) =>
    workOf(counted, () =>
      signIn(counted.context, { ...browser, clientAddress, email, password: 'not this one at all' }),
    );
  const [wrong, nobody] = [await enter(known, '192.0.2.1'), await enter(unknown, '192.0.2.2')];
  expect(nobody).toEqual(wrong);
});

test('when too much work waits, known and unknown addresses are both told to come again', async () => {
  const { context } = await makeSite();
  const full: ControlContext = { ...context, afterwards: { ...context.afterwards, hasRoom: () => false } };
  for (const ask of [requestPasswordReset, registerAccount]) {
    const answers = [];
    for (const email of [known, unknown]) answers.push(await ask(full, { email, clientAddress: '192.0.2.1' }));
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ retryAfterSeconds: 2 });
  }
});
