// The page "My account": name, address, password, the export of all data, and deletion. Changes that could lock people out of their account
// ask for the password again. Every change is a POST of its own that ends in a redirect, so that reloading repeats nothing.

import { z } from 'zod';
import { chooseTimeZone } from '../../control/accounts/choose-time-zone.ts';
import { deleteAccount } from '../../control/accounts/delete-account.ts';
import { exportAccount } from '../../control/accounts/export-account.ts';
import { renameAccount } from '../../control/accounts/rename-account.ts';
import { requestAddressChange } from '../../control/accounts/request-address-change.ts';
import { changePassword } from '../../control/sessions/change-password.ts';
import { listBlockedSenders, unblockSender } from '../../control/sharing/block-sender.ts';
import { timeZoneNames } from '../../core/model/time-zone.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { type Html, html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { passwordHint, passwordProblem } from '../look/password-words.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { refusalText } from '../serve/refusal-words.ts';
import { address, id, personName, secret } from '../serve/shapes.ts';
import { buttonForm, field, note, type Problems, problemSummary, select } from './fields.ts';
import { browserOf } from './finish-sign-in.ts';

const doneWords = {
  name: 'Your name is changed.',
  password: 'Your new password is set. You were signed out in every other browser.',
  zone: 'Your time zone is saved.',
  address: 'A mail is on its way to the new address. Open the link in it, and the change is made.',
  unblocked: 'This person can share keys with you again.',
};

const account = definePage({
  path: 'account',
  who: 'account',
  query: z.object({ done: z.enum(['name', 'password', 'address', 'zone', 'unblocked']).optional() }),
  handle: async (visit, { query: { done } }) => accountPage(visit, {}, 200, done),
});

async function accountPage(
  visit: PersonVisit,
  problems: Problems,
  status: number,
  done?: keyof typeof doneWords,
): Promise<PageAnswer> {
  const { context, actor, prefix } = visit;
  const record = await readAccount(context.store.sql, actor.accountId);
  if (record === null) return visit.errorPage(404);
  const hasPassword = record.passwordHash !== null;
  const again = (name: string, label: string) =>
    hasPassword
      ? field({
          name,
          label,
          type: 'password',
          autocomplete: 'current-password',
          maxLength: 1024,
          problem: problems[name],
        })
      : null;
  return visit.page({
    title: 'My account',
    section: 'account',
    status,
    body: html`${problemSummary(problems)}${done === undefined ? null : note('good', doneWords[done])}
<section class="sheet" aria-labelledby="about-name"><h2 id="about-name">Name</h2>
<form method="post" action="${prefix}account/name" novalidate>${visit.formToken()}
${field({ name: 'name', label: 'Your name', value: record.displayName, autocomplete: 'name', isRequired: false, maxLength: 100, hint: 'Others see it when you share something, or open what they shared.', problem: problems.name })}
<button type="submit">Save the name</button></form></section>
<section class="sheet" aria-labelledby="about-address"><h2 id="about-address">Address</h2>
<p>You sign in with <strong>${record.email}</strong>, and mails go there.</p>
<details${problems.email !== undefined || problems.address_password !== undefined ? html` open` : null}><summary>Use another address</summary>
<form method="post" action="${prefix}account/address" novalidate>${visit.formToken()}
${field({ name: 'email', label: 'New address', type: 'email', autocomplete: 'email', problem: problems.email })}
${again('address_password', 'Your password')}
<button type="submit">Send a mail to it</button></form></details></section>
${
  hasPassword
    ? html`<section class="sheet" aria-labelledby="about-password"><h2 id="about-password">Password</h2>
<details${problems.old_password !== undefined || problems.new_password !== undefined ? html` open` : null}><summary>Change the password</summary>
<form method="post" action="${prefix}account/password" novalidate>${visit.formToken()}
<input class="away" type="text" name="username" value="${record.email}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">
${again('old_password', 'Current password')}
${field({ name: 'new_password', label: 'New password', type: 'password', autocomplete: 'new-password', hint: passwordHint, maxLength: 1024, problem: problems.new_password })}
<button type="submit">Change it</button></form></details></section>`
    : html`<section class="sheet" aria-labelledby="about-password"><h2 id="about-password">Password</h2>
<p>You have none yet. <a href="${prefix}forgot">Get a mail to choose one</a>.</p></section>`
}
<section class="sheet" aria-labelledby="about-zone"><h2 id="about-zone">Time zone</h2>
<p>Pages show times as the clock of your browser does, where it tells. In mails, and everywhere else, they are in this zone.</p>
<form method="post" action="${prefix}account/zone" novalidate>${visit.formToken()}
${select({ name: 'zone', label: 'Your time zone', choices: zoneChoices(record.timeZone), value: record.timeZone ?? '', problem: problems.zone })}
<button type="submit">Save the time zone</button></form></section>
${await blockedSection(visit)}
<section class="sheet" aria-labelledby="about-data"><h2 id="about-data">Your data</h2>
<p>Everything that is stored here about you, as one file.</p>
<form method="post" action="${prefix}account/export">${visit.formToken()}<button class="plain" type="submit">Download it</button></form></section>
<section class="sheet" aria-labelledby="about-end"><h2 id="about-end">Delete the account</h2>
<p>It ends everywhere at once: you are signed out in every browser, and what you shared is no longer shared. It cannot be undone.</p>
<details${problems.delete_password !== undefined || problems.sure !== undefined ? html` open` : null}><summary>Delete my account</summary>
<form method="post" action="${prefix}account/delete" novalidate>${visit.formToken()}
${again('delete_password', 'Your password')}
<div class="choice"><input type="checkbox" id="field-sure" name="sure" value="yes"><label for="field-sure">Yes, delete my account and what belongs to it</label></div>
<p><button class="bad" type="submit">Delete it for good</button></p></form></details></section>`,
  });
}

/** The people who cannot share keys with this address; nothing where there is none. */
async function blockedSection(visit: PersonVisit): Promise<Html | null> {
  const blocked = await listBlockedSenders(visit.context, visit.actor);
  if (blocked.length === 0) return null;
  const items = blocked.map(({ id: sender, name }) => {
    const shown = name ?? 'Somebody whose account is deleted';
    const form = buttonForm({
      ...{ action: `${visit.prefix}account/senders/${sender}/unblock`, formToken: visit.formToken() },
      ...{ text: 'Unblock', label: `Unblock ${shown}`, kind: 'plain' },
    });
    return html`<li><div class="between"><p>${shown}</p>${form}</div></li>`;
  });
  return html`<section class="sheet" aria-labelledby="about-blocked"><h2 id="about-blocked">Blocked senders</h2>
<p>You get no keys from these people, and no mails about them. They are not told.</p><ul class="plain-list">${items}</ul></section>`;
}

const unblockForm = defineForm({
  path: 'account/senders/:sender/unblock',
  who: 'account',
  params: z.object({ sender: id }),
  form: z.object({}),
  handle: async (visit, { params: { sender } }) => {
    const { clientAddress, requestId } = visit.origin;
    const origin = { clientAddress, requestId: requestId || null };
    // whoever was unblocked in another tab is unblocked
    await unblockSender(visit.context, visit.actor, { senderId: sender, origin });
    return visit.redirect(`${visit.prefix}account?done=unblocked`);
  },
});

const nameForm = defineForm({
  path: 'account/name',
  who: 'account',
  form: z.object({ name: personName.default('') }),
  handle: async (visit, { form: { name } }) => {
    const { requestId } = visit.origin;
    const outcome = await renameAccount(visit.context, visit.actor, { displayName: name, requestId });
    if (outcome.kind === 'renamed') return visit.redirect(`${visit.prefix}account?done=name`);
    return accountPage(visit, { name: refusalText('bad-name') }, 422);
  },
});

/** All zones, and the chosen one even where Intl lists it by another of its names. */
function zoneChoices(chosen: string | null): { readonly value: string; readonly label: string }[] {
  const names = timeZoneNames();
  const all = chosen === null || names.includes(chosen) ? names : [chosen, ...names];
  const zones = all.map((name) => ({ value: name, label: name.replaceAll('_', ' ') }));
  return [{ value: '', label: 'UTC' }, ...zones];
}

const zoneForm = defineForm({
  path: 'account/zone',
  who: 'account',
  form: z.object({ zone: z.string().max(80).default('') }),
  handle: async (visit, { form: { zone } }) => {
    const requestId = visit.origin.requestId || null;
    const outcome = await chooseTimeZone(visit.context, visit.actor, {
      timeZone: zone === '' ? null : zone,
      requestId,
    });
    if (outcome.kind === 'chosen') return visit.redirect(`${visit.prefix}account?done=zone`);
    return accountPage(visit, { zone: 'Choose a time zone of the list.' }, 422);
  },
});

const addressForm = defineForm({
  path: 'account/address',
  who: 'account',
  form: z.object({ email: address.default(''), address_password: secret.default('') }),
  handle: async (visit, { form }) => {
    const { clientAddress, requestId } = visit.origin;
    const asked = { newEmail: form.email, password: form.address_password, clientAddress, requestId };
    const outcome = await requestAddressChange(visit.context, visit.actor, asked);
    if (outcome.kind === 'accepted') return visit.redirect(`${visit.prefix}account?done=address`);
    if (outcome.kind === 'busy') return accountPage(visit, { address_password: tooMany(outcome) }, 429);
    switch (outcome.reason) {
      case 'bad-address':
        return accountPage(visit, { email: refusalText('bad-address') }, 422);
      case 'same-address':
        return accountPage(visit, { email: 'That is your address already.' }, 422);
      case 'domain':
        return accountPage(visit, { email: 'Addresses of that place are not taken here.' }, 422);
      case 'wrong-password':
      case 'not-signed-in':
        return accountPage(visit, { address_password: 'That is not your password.' }, 422);
      default:
        return outcome.reason satisfies never;
    }
  },
});

const passwordForm = defineForm({
  path: 'account/password',
  who: 'account',
  form: z.object({ old_password: secret.default(''), new_password: secret.default('') }),
  handle: async (visit, { form }) => {
    const asked = { ...browserOf(visit), oldPassword: form.old_password, newPassword: form.new_password };
    const outcome = await changePassword(visit.context, visit.actor, asked);
    switch (outcome.kind) {
      case 'changed': {
        const { sessionToken, maxAgeSeconds, deviceCookie } = outcome.session;
        visit.startSession(sessionToken, maxAgeSeconds);
        if (deviceCookie !== null) visit.rememberDevice(deviceCookie);
        return visit.redirect(`${visit.prefix}account?done=password`);
      }
      case 'refused':
        return accountPage(visit, { old_password: 'That is not your current password.' }, 422);
      case 'weak-password':
        return accountPage(visit, { new_password: passwordProblem(outcome.why) }, 422);
      case 'busy':
        return accountPage(visit, { old_password: tooMany(outcome) }, 429);
      default:
        return outcome satisfies never;
    }
  },
});

const exportForm = defineForm({
  path: 'account/export',
  who: 'account',
  form: z.object({}),
  handle: async (visit) => {
    const outcome = await exportAccount(visit.context, visit.actor, { requestId: visit.origin.requestId });
    if (outcome.kind === 'busy') return visit.errorPage(429);
    if (outcome.kind === 'refused') return visit.errorPage(404);
    const bytes = Buffer.from(`${JSON.stringify(outcome.document, null, 2)}\n`);
    return { kind: 'file', type: 'application/json', bytes, filename: 'my-account.json' };
  },
});

const deleteForm = defineForm({
  path: 'account/delete',
  who: 'account',
  form: z.object({ delete_password: secret.default(''), sure: z.string().optional() }),
  handle: async (visit, { form }) => {
    if (form.sure !== 'yes') return accountPage(visit, { sure: 'Tick the box to say that you are sure.' }, 422);
    const { clientAddress, requestId } = visit.origin;
    const asked = { password: form.delete_password, clientAddress, requestId };
    const outcome = await deleteAccount(visit.context, visit.actor, asked);
    if (outcome.kind === 'busy') return accountPage(visit, { delete_password: tooMany(outcome) }, 429);
    if (outcome.kind === 'deleted') {
      visit.endSession();
      return visit.redirect(`${visit.prefix}login?done=deleted`);
    }
    if (outcome.reason === 'last-admin') {
      const text = 'You are the only administrator. Make somebody else one first.';
      return accountPage(visit, { '': text }, 422);
    }
    return accountPage(visit, { delete_password: 'That is not your password.' }, 422);
  },
});

/** The problem beside a password field after too many tries; an error page would take the rest of the page away. */
function tooMany({ retryAfterSeconds }: { readonly retryAfterSeconds: number }): string {
  return `There were many tries, so your password was not looked at. Wait ${waitWords(retryAfterSeconds)}, then try again.`;
}

/** The pages of this file; `pages.ts` lists them. */
export const accountPages: readonly PageRoute[] = [
  account,
  nameForm,
  zoneForm,
  addressForm,
  passwordForm,
  exportForm,
  unblockForm,
  deleteForm,
];
