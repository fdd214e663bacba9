// Wrong codes of mails are counted by source and network like guesses, and a right code never has to wait.

import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { resetPassword } from '../../../gateway/control/accounts/reset-password.ts';
import { guessPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { signInByCode } from '../../../gateway/control/sessions/sign-in-by-code.ts';
import { verifyAddress } from '../../../gateway/control/sessions/verify-address.ts';
import { browser, makeContext } from '../../support/rigs/control-context.ts';

const password = 'tall ships sail at dawn';
const wrong = `${'A'.repeat(16)}.${'A'.repeat(43)}`;

test('wrong codes from one /64 share one count, at every page that takes codes', async () => {
  const site = await makeContext({});
  await createAccount(site.context, { kind: 'operator' }, { email: 'anna@example.org', invited: false, password });
  await requestPasswordReset(site.context, { email: 'anna@example.org', clientAddress: '192.0.2.1' });
  const code = await site.mailedCode('anna@example.org', 'reset-password');
  const doors = [
    (from: string, text = wrong) => resetPassword(site.context, { code: text, password, clientAddress: from }),
    (from: string) => verifyAddress(site.context, { ...browser, clientAddress: from, code: wrong, password }),
    (from: string) => signInByCode(site.context, { ...browser, clientAddress: from, code: wrong }),
  ];
  const { freeTries } = guessPolicies['mailed-code'].counters.source;
  const outcomes = await Promise.all(
    Array.from({ length: freeTries + 20 }, (_, at) => doors[at % doors.length]?.(`2001:db8::${at}`)),
  );
  expect(outcomes.filter((outcome) => outcome?.kind === 'refused').length).toBe(freeTries);
  expect(outcomes.at(-1)).toEqual({ kind: 'too-many', retryAfterSeconds: 1 });
  expect((await doors[1]?.('2001:db8:0:1::1'))?.kind).toBe('refused');
  // who has the mail is not kept waiting by whoever tries beside them
  const right = await resetPassword(site.context, {
    code,
    password: 'nine quiet rivers',
    clientAddress: '2001:db8::1',
  });
  expect(right.kind).toBe('reset');
});
