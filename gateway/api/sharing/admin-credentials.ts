// Administration of credentials: their list, issuing one to an account, hanging keys on it, and ending both. control/keys decides whether
// a change is allowed; these pages show the outcome. Issuing and adding carry a key of their form, so that a form sent twice makes one.

import { z } from 'zod';
import { addKey } from '../../control/keys/add-key.ts';
import type { CredentialKeyView, CredentialView } from '../../control/keys/credential-view.ts';
import { issueCredential } from '../../control/keys/issue-credential.ts';
import { listCredentials, readCredential } from '../../control/keys/list-credentials.ts';
import { removeKey } from '../../control/keys/remove-key.ts';
import { withdrawCredential } from '../../control/keys/withdraw-credential.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import {
  field,
  momentField,
  note,
  type Problems,
  problemSummary,
  readMoment,
  select,
  zoneField,
} from '../portal/fields.ts';
import { readPath } from '../portal/link-words.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { collectionName, id } from '../serve/shapes.ts';
import { formKey, newFormKey, originOf, question } from './forms.ts';
import { dotted } from './share-words.ts';

const pageSize = 50;
const section = 'admin/credentials';

const list = definePage({
  path: 'admin/credentials',
  who: 'admin',
  query: z.object({
    search: z.string().max(320).default(''),
    after: z.string().max(80).optional(),
    account: id.optional(),
  }),
  handle: async (visit, { query }) => {
    const { prefix, context, actor } = visit;
    const search = query.search.trim();
    const listing = { search, after: query.after, accountId: query.account, limit: pageSize };
    const found = await listCredentials(context, actor, listing);
    if (found.kind === 'refused') return visit.errorPage(403);
    const { credentials, next } = found;
    const isPart = search !== '' || query.account !== undefined;
    const kept = {
      ...(search === '' ? {} : { search }),
      ...(query.account === undefined ? {} : { account: query.account }),
    };
    const none = isPart
      ? html`<p>No credential was found.</p>`
      : html`<p class="soft">No credentials yet. A credential is something like a staff card: it belongs to one person, and its keys open things. Whoever has a key can share it.</p>`;
    return visit.page({
      title: 'Credentials',
      section,
      body: html`<p><a class="button" href="${prefix}admin/credentials/new">Issue a credential</a></p>
<form class="row spaced-below" method="get" action="${prefix}admin/credentials" role="search">
${field({ name: 'search', label: 'Find by name, issuer or address', type: 'search', value: search, autocomplete: 'off', isRequired: false })}
<button class="plain" type="submit">Find</button>${isPart ? html`<a class="button plain" href="${prefix}admin/credentials">Show all</a>` : null}</form>
<h2 class="unseen">All credentials</h2>
${credentials.length === 0 ? none : html`<ul class="items">${credentials.map((one) => credentialItem(visit, one))}</ul>`}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}admin/credentials?${new URLSearchParams({ ...kept, after: next }).toString()}">More</a></p>`}`,
    });
  },
});

function credentialItem({ prefix }: PersonVisit, credential: CredentialView): Html {
  const keys = `${credential.keys} ${credential.keys === 1 ? 'key' : 'keys'}`;
  return html`<li class="card">${pictureOf(credential)}<div class="between"><h3><a href="${prefix}admin/credentials/${credential.id}">${credential.name}</a></h3>${stateTag(credential)}</div>
<p class="soft">${dotted([credential.email ?? 'somebody who is gone', `issued by ${credential.issuer}`, keys])}</p></li>`;
}

/** The picture of a credential: a `data:` URL that was checked when it was issued. The words beside it say what it is. */
function pictureOf({ picture }: { readonly picture: string | null }): Html | null {
  return picture === null ? null : html`<img class="badge" src="${picture}" alt="">`;
}

function stateTag({ state }: CredentialView): Html {
  switch (state) {
    case 'in-force':
      return html`<span class="tag good">valid</span>`;
    case 'early':
      return html`<span class="tag">not valid yet</span>`;
    case 'over':
      return html`<span class="tag bad">time is over</span>`;
    case 'withdrawn':
      return html`<span class="tag bad">withdrawn</span>`;
    default:
      return state satisfies never;
  }
}

const issueShape = z.object({
  key: formKey.default(''),
  account: z.string().max(1000).default(''),
  name: z.string().max(1000).default(''),
  issuer: z.string().max(1000).default(''),
  validFrom: z.string().max(40).default(''),
  validUntil: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
});

const issuePage = definePage({
  path: 'admin/credentials/new',
  who: 'admin',
  query: z.object({ account: z.string().max(320).optional() }),
  handle: async (visit, { query }) =>
    showIssue(visit, issueShape.parse({ key: newFormKey(visit), account: query.account ?? '' }), {}, 200),
});

function showIssue(visit: PersonVisit, form: z.infer<typeof issueShape>, wrong: Problems, status: number): PageAnswer {
  const { prefix, timeZone } = visit;
  return visit.page({
    title: 'Issue a credential',
    section,
    status,
    width: 'narrow',
    body: html`${problemSummary(wrong)}
<form method="post" action="${prefix}admin/credentials/new" novalidate>${visit.formToken()}${zoneField()}<input type="hidden" name="key" value="${form.key}">
${field({ name: 'account', label: 'Whom does it belong to?', hint: 'The mail address of somebody with an account.', type: 'email', value: form.account, autocomplete: 'off', problem: wrong.account })}
${field({ name: 'name', label: 'What is it?', hint: 'Such as “Staff card”. Whoever gets one of its keys reads this.', value: form.name, autocomplete: 'off', maxLength: 120, problem: wrong.name })}
${field({ name: 'issuer', label: 'Who issues it?', hint: 'Such as the name of your place.', value: form.issuer, autocomplete: 'off', maxLength: 120, problem: wrong.issuer })}
${momentField({ name: 'validFrom', label: 'Valid from', hint: 'Empty: at once.', value: form.validFrom, problem: wrong.validFrom, timeZone })}
${momentField({ name: 'validUntil', label: 'Valid until', hint: 'Empty: until you withdraw it.', value: form.validUntil, problem: wrong.validUntil, timeZone })}
<button type="submit">Issue it</button></form>
<p class="hint after">With a picture: <code>latchkey credential issue</code>, with <code>--picture</code>.</p>
<p class="after"><a class="button plain" href="${prefix}admin/credentials">Back to all credentials</a></p>`,
  });
}

const issueForm = defineForm({
  path: 'admin/credentials/new',
  who: 'admin',
  form: issueShape,
  handle: async (visit, { form }) => {
    const from = readMoment(form.validFrom, form.zone, visit.timeZone);
    const until = readMoment(form.validUntil, form.zone, visit.timeZone);
    if (from.kind === 'problem') return showIssue(visit, form, { validFrom: from.problem }, 422);
    if (until.kind === 'problem') return showIssue(visit, form, { validUntil: until.problem }, 422);
    const outcome = await issueCredential(visit.context, visit.actor, {
      ...{ account: form.account, name: form.name, issuer: form.issuer, creationKey: form.key || undefined },
      validFromAt: from.kind === 'moment' ? from.at : null,
      validUntilAt: until.kind === 'moment' ? until.at : null,
      origin: originOf(visit),
    });
    if (outcome.kind === 'issued') return toCredential(visit, outcome.credential.id, 'issued');
    switch (outcome.reason) {
      case 'not-allowed':
        return visit.errorPage(403);
      case 'unknown':
        return showIssue(visit, form, { account: 'Nobody has an account with this address. Invite them first.' }, 422);
      case 'unverified':
        return showIssue(visit, form, { account: 'This person has not been here yet, so nothing can be issued.' }, 422);
      case 'disabled':
        return showIssue(visit, form, { account: 'This account is blocked. Unblock it first.' }, 422);
      case 'bad-label':
        return showIssue(visit, form, { name: oneLineWords }, 422);
      case 'bad-issuer':
        return showIssue(visit, form, { issuer: oneLineWords }, 422);
      case 'bad-window':
        return showIssue(
          visit,
          form,
          { validUntil: 'The end has to lie in the future, and behind the beginning.' },
          422,
        );
      case 'bad-picture':
        return visit.errorPage(400);
      default:
        return outcome.reason satisfies never;
    }
  },
});

const oneLineWords = 'Give it a name of one line, up to 120 characters.';

const doneWords = {
  issued: 'The credential is issued. Now hang a key on it, so that it opens something.',
  added: 'The key is there. Whoever the credential belongs to can use it, and share it.',
  withdrawn: 'The credential is withdrawn. None of its keys opens anything any more, for anybody.',
  removed: 'The key is removed. It opens nothing any more, for anybody.',
};

const doneNames = z.enum(['issued', 'added', 'withdrawn', 'removed']).optional();

function toCredential(visit: PersonVisit, credentialId: string, done: keyof typeof doneWords): PageAnswer {
  return visit.redirect(`${visit.prefix}admin/credentials/${encodeURIComponent(credentialId)}?done=${done}`);
}

const params = z.object({ credential: id });

const keyShape = z.object({
  key: formKey.default(''),
  name: z.string().max(1000).default(''),
  collection: collectionName.default(''),
  path: z.string().max(2500).default(''),
});

const detail = definePage({
  path: 'admin/credentials/:credential',
  who: 'admin',
  params,
  query: z.object({ done: doneNames }),
  handle: async (visit, input) => showCredential(visit, input.params.credential, null, {}, 200, input.query.done),
});

async function showCredential(
  visit: PersonVisit,
  credentialId: string,
  typed: z.infer<typeof keyShape> | null,
  wrong: Problems,
  status: number,
  done?: keyof typeof doneWords,
): Promise<PageAnswer> {
  const { context, actor, prefix } = visit;
  const found = await readCredential(context, actor, credentialId);
  if (found.kind === 'refused') return visit.errorPage(found.reason === 'unknown' ? 404 : 403);
  const { credential, keys } = found;
  const base = `${prefix}admin/credentials/${credential.id}`;
  const live = keys.filter(({ removedAt }) => removedAt === null);
  const removed = keys.filter(({ removedAt }) => removedAt !== null);
  const isLive = credential.state !== 'withdrawn';
  const owner = credential.email ?? 'somebody who is gone';
  return visit.page({
    title: credential.name,
    section,
    status,
    body: html`${problemSummary(wrong)}${done === undefined ? null : note('good', doneWords[done])}
<section class="sheet" aria-label="About">${pictureOf(credential)}<div class="between"><p>${stateTag(credential)}</p>${
      isLive ? html`<a class="button bad" href="${base}/withdraw">Withdraw it</a>` : null
    }</div>
<dl class="facts"><dt>Belongs to</dt><dd><a href="${prefix}admin/accounts/${credential.accountId}">${owner}</a></dd>
<dt>Issued by</dt><dd>${credential.issuer}</dd>
<dt>Issued</dt><dd>${moment(credential.createdAt)}</dd>
${credential.validFromAt === null ? null : html`<dt>Valid from</dt><dd>${moment(credential.validFromAt)}</dd>`}
<dt>Valid until</dt><dd>${credential.validUntilAt === null ? 'it is withdrawn' : moment(credential.validUntilAt)}</dd>
${credential.withdrawnAt === null ? null : html`<dt>Withdrawn</dt><dd>${moment(credential.withdrawnAt)}</dd>`}
</dl><p><a class="button plain" href="${prefix}admin/audit?subject=${credential.id}">History</a></p></section>
<h2>Keys</h2>
${live.length === 0 ? html`<p class="soft">No key hangs on it${isLive ? ' yet, so it opens nothing' : ''}.</p>` : html`<ul class="items">${live.map((key) => keyItem(visit, key, isLive))}</ul>`}
${isLive ? addForm(visit, base, typed, wrong) : null}
${removed.length === 0 ? null : html`<details><summary>Removed (${removed.length})</summary><ul class="items">${removed.map((key) => keyItem(visit, key, false))}</ul></details>`}
<p><a class="button plain" href="${prefix}admin/credentials">All credentials</a></p>`,
  });
}

function keyItem({ prefix }: PersonVisit, key: CredentialKeyView, mayRemove: boolean): Html {
  return html`<li><div class="between"><h3>${key.name}</h3>${
    key.removedAt !== null
      ? html`<span class="tag bad">removed</span>`
      : mayRemove
        ? html`<a class="button bad" href="${prefix}admin/credential-keys/${key.credentialId}/${key.id}/remove" aria-label="Remove the key ${key.name}">Remove</a>`
        : null
  }</div>
<p class="soft">Opens ${key.cleanUrl}${key.methods === null ? null : html` (${key.methods.join(', ')})`}${key.removedAt === null ? null : html`, until ${moment(key.removedAt)}`}</p>${
    key.needsSecondFactor
      ? html`<p class="soft">Whoever accepts it would have to show a second factor, which nobody can yet.</p>`
      : null
  }</li>`;
}

function addForm(visit: PersonVisit, base: string, typed: z.infer<typeof keyShape> | null, wrong: Problems): Html {
  const { collections } = visit.context.config();
  const choices = collections.map(({ name, title, host, path }) => ({
    value: name,
    label: `${title ?? name} (${host}${path})`,
  }));
  if (choices.length === 0) {
    return html`<p class="soft">A key opens a collection, or a part of one, and the configuration has none yet.</p>`;
  }
  const form = typed ?? keyShape.parse({ key: newFormKey(visit), collection: choices[0]?.value });
  return html`<section class="sheet" aria-labelledby="add-key"><h2 id="add-key">Hang a key on it</h2>
<form method="post" action="${base}/keys" novalidate>${visit.formToken()}<input type="hidden" name="key" value="${form.key}">
${field({ name: 'name', label: 'Name of the key', hint: 'Such as “Front door”.', value: form.name, autocomplete: 'off', maxLength: 120, problem: wrong.name })}
${select({ name: 'collection', label: 'What does it open?', choices, value: form.collection, problem: wrong.collection })}
${field({ name: 'path', label: 'Only a part of it', hint: 'The name of a file or a folder in it, or its address. Empty: everything.', value: form.path, autocomplete: 'off', isRequired: false, maxLength: 2000, problem: wrong.path })}
<button type="submit">Add the key</button></form></section>`;
}

const keyForm = defineForm({
  path: 'admin/credentials/:credential/keys',
  who: 'admin',
  params,
  form: keyShape,
  handle: async (visit, { params: { credential }, form }) => {
    const outcome = await addKey(visit.context, visit.actor, {
      ...{ credentialId: credential, name: form.name, collection: form.collection },
      ...{ path: readPath(form.path) || null, creationKey: form.key || undefined, origin: originOf(visit) },
    });
    if (outcome.kind === 'added') return toCredential(visit, credential, 'added');
    const again = (wrong: Problems): Promise<PageAnswer> => showCredential(visit, credential, form, wrong, 422);
    switch (outcome.reason) {
      case 'not-allowed':
        return visit.errorPage(403);
      case 'unknown':
        return visit.errorPage(404);
      case 'no-collection':
        return again({ collection: 'There is no such collection any more. Choose another one.' });
      case 'withdrawn':
        return again({ '': 'This credential was withdrawn meanwhile. Issue a new one.' });
      case 'too-many-keys':
        return again({ '': 'This credential has as many keys as one can have. Issue another one.' });
      case 'bad-label':
        return again({ name: oneLineWords });
      case 'bad-path':
        return again({ path: 'This has to lie in the collection. Leave it empty for all of it.' });
      case 'bad-methods':
        return visit.errorPage(400);
      default:
        return outcome.reason satisfies never;
    }
  },
});

const withdrawPage = definePage({
  path: 'admin/credentials/:credential/withdraw',
  who: 'admin',
  params,
  handle: async (visit, { params: { credential: credentialId } }) => {
    const found = await readCredential(visit.context, visit.actor, credentialId);
    if (found.kind === 'refused') return visit.errorPage(404);
    const { credential } = found;
    if (credential.state === 'withdrawn') return toCredential(visit, credential.id, 'withdrawn');
    return question(visit, {
      ...{ title: `Withdraw “${credential.name}”?`, section },
      loss: html`${credential.email ?? 'Whoever has it'} and everybody who got one of its keys lose access at once. This cannot be taken back; a new credential can be issued.`,
      ...{ action: `admin/credentials/${credential.id}/withdraw`, yes: 'Withdraw it' },
      ...{ back: `admin/credentials/${credential.id}`, no: 'Keep it' },
    });
  },
});

const withdrawForm = defineForm({
  path: 'admin/credentials/:credential/withdraw',
  who: 'admin',
  params,
  form: z.object({}),
  handle: async (visit, { params: { credential } }) => {
    const outcome = await withdrawCredential(visit.context, visit.actor, credential, originOf(visit));
    if (outcome.kind === 'refused') return visit.errorPage(outcome.reason === 'unknown' ? 404 : 403);
    return toCredential(visit, credential, 'withdrawn');
  },
});

const keyParams = params.extend({ key: id });

const removePage = definePage({
  path: 'admin/credential-keys/:credential/:key/remove',
  who: 'admin',
  params: keyParams,
  handle: async (visit, { params: { credential, key: keyId } }) => {
    const found = await readCredential(visit.context, visit.actor, credential);
    const key = found.kind === 'refused' ? undefined : found.keys.find((one) => one.id === keyId);
    if (key === undefined) return visit.errorPage(404);
    if (key.removedAt !== null) return toCredential(visit, credential, 'removed');
    return question(visit, {
      ...{ title: `Remove the key “${key.name}”?`, section },
      loss: html`Everybody who has this key, or got it from somebody, loses access to ${key.cleanUrl} at once. This cannot be taken back; a new key can be added.`,
      ...{ action: `admin/credential-keys/${credential}/${key.id}/remove`, yes: 'Remove the key' },
      ...{ back: `admin/credentials/${credential}`, no: 'Keep it' },
    });
  },
});

const removeForm = defineForm({
  path: 'admin/credential-keys/:credential/:key/remove',
  who: 'admin',
  params: keyParams,
  form: z.object({}),
  handle: async (visit, { params: { credential, key } }) => {
    const outcome = await removeKey(visit.context, visit.actor, key, originOf(visit));
    if (outcome.kind === 'refused') return visit.errorPage(outcome.reason === 'unknown' ? 404 : 403);
    return toCredential(visit, credential, 'removed');
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const adminCredentialPages: readonly PageRoute[] = [
  ...[list, issuePage, issueForm, detail, keyForm],
  ...[withdrawPage, withdrawForm, removePage, removeForm],
];
