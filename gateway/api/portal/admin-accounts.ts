// Administration of people: the list of accounts, inviting, blocking and unblocking accounts, roles and groups, signing out.
// control/accounts decides whether a change is allowed, in the same unit of work that makes it; these pages only show the outcome.

import { z } from 'zod';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import {
  type AccountView,
  type AdminOutcome,
  type AdminRefused,
  adminDisable,
  adminEnable,
  adminEndSessions,
  adminListAccounts,
  adminReadAccount,
  adminSetGroups,
  adminSetRole,
  inviteAgain,
} from '../../control/accounts/administer-accounts.ts';
import { createAccount } from '../../control/accounts/create-account.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { address, id, personName } from '../serve/shapes.ts';
import { buttonForm, field, note, type Problems, problemSummary, select } from './fields.ts';

const pageSize = 50;
const roles = [
  { value: 'user', label: 'Guest, or owner of collections of the configuration' },
  { value: 'admin', label: 'Administrator: may do everything on these pages' },
] as const;

const doneWords = {
  invited: 'The invitation is on its way.',
  disabled: 'The account is blocked, and signed out everywhere.',
  enabled: 'The account is not blocked any more.',
  role: 'The role is changed.',
  groups: 'The groups are changed.',
  ended: 'Signed out everywhere.',
};

const done = z.enum(['invited', 'disabled', 'enabled', 'role', 'groups', 'ended']).optional();

const statuses = [
  { value: '', label: 'Everybody' },
  { value: 'active', label: 'Active' },
  { value: 'waiting', label: 'Not here yet' },
  { value: 'blocked', label: 'Blocked' },
] as const;

const roleChoices = [
  { value: '', label: 'Any role' },
  { value: 'user', label: 'Guests and owners' },
  { value: 'admin', label: 'Administrators' },
] as const;

const list = definePage({
  path: 'admin/accounts',
  who: 'admin',
  query: z.object({
    search: z.string().max(320).default(''),
    status: z.enum(['', 'active', 'waiting', 'blocked']).catch('').default(''),
    role: z.enum(['', 'user', 'admin']).catch('').default(''),
    after: z.string().max(400).optional(),
    done,
  }),
  handle: async (visit, { query }) => {
    const { prefix, context, actor } = visit;
    const search = query.search.trim();
    const role = query.role === '' ? undefined : query.role;
    const asked = { search, role, limit: pageSize };
    const status = query.status === '' ? 'not-blocked' : query.status;
    const found = await adminListAccounts(context, actor, { ...asked, status, after: query.after });
    // who is blocked stands folded below the first page of the others
    const isFirst = query.status === '' && query.after === undefined;
    const blocked = isFirst ? await adminListAccounts(context, actor, { ...asked, status: 'blocked' }) : null;
    if (found.kind === 'refused' || blocked?.kind === 'refused') return visit.errorPage(403);
    const filters = Object.entries({ search, status: query.status, role: query.role }).filter(
      ([, value]) => value !== '',
    );
    const isPart = filters.length > 0;
    const at = (more: Record<string, string>): string =>
      `${prefix}admin/accounts?${new URLSearchParams([...filters, ...Object.entries(more)]).toString()}`;
    return visit.page({
      title: 'People',
      section: 'admin/accounts',
      body: html`${query.done === undefined ? null : note('good', doneWords[query.done])}
<p><a class="button" href="${prefix}admin/accounts/invite">Invite somebody</a></p>
<form method="get" action="${prefix}admin/accounts" role="search"><div class="columns">
${field({ name: 'search', label: 'Find by address or name', type: 'search', value: search, autocomplete: 'off', isRequired: false })}
${select({ name: 'status', label: 'Status', choices: statuses, value: query.status })}
${select({ name: 'role', label: 'Role', choices: roleChoices, value: query.role })}</div>
<div class="row spaced-below"><button class="plain" type="submit">Find</button>${isPart ? html`<a class="button plain" href="${prefix}admin/accounts">Show all</a>` : null}</div></form>
${found.accounts.length === 0 ? html`<p>Nobody was found.</p>` : peopleTable(visit, 'People', found.accounts)}
${found.next === null ? null : html`<p class="pages"><a class="button plain" href="${at({ after: found.next })}">More</a></p>`}
${
  blocked === null || blocked.accounts.length === 0
    ? null
    : html`<details${found.accounts.length === 0 ? html` open` : null}><summary>Blocked (${blocked.accounts.length}${blocked.next === null ? null : '+'})</summary>
${peopleTable(visit, 'Blocked people', blocked.accounts)}${blocked.next === null ? null : html`<p><a class="button plain" href="${at({ status: 'blocked' })}">All who are blocked</a></p>`}</details>`
}`,
    });
  },
});

function peopleTable(visit: PersonVisit, label: string, accounts: readonly AccountView[]): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="stack" role="table"><thead role="rowgroup"><tr role="row"><th scope="col">Address</th><th scope="col">Name</th><th scope="col">Role</th><th scope="col">Status</th></tr></thead>
<tbody role="rowgroup">${accounts.map((one) => accountRow(visit, one))}</tbody></table></div>`;
}

function accountRow({ prefix, context }: PersonVisit, account: AccountView): Html {
  return html`<tr role="row"><td role="cell"><a href="${prefix}admin/accounts/${account.id}">${account.email}</a></td><td role="cell">${account.displayName}</td>
<td role="cell">${roleWord(context.config(), account)}</td><td role="cell">${statusTag(account)}</td></tr>`;
}

/** Who has a collection in the configuration is an owner; nobody is made one on these pages. */
function roleWord(config: Parameters<typeof collectionsOwnedBy>[0], { role, email }: AccountView): string {
  if (role === 'admin') return 'Administrator';
  return collectionsOwnedBy(config, email).length > 0 ? 'Owner' : 'Guest';
}

function statusTag(account: AccountView): Html {
  if (account.state !== 'active') return html`<span class="tag bad">blocked</span>`;
  if (account.emailVerifiedAt === null) return html`<span class="tag">not here yet</span>`;
  return html`<span class="tag good">active</span>`;
}

const invite = definePage({
  path: 'admin/accounts/invite',
  who: 'admin',
  handle: async (visit) => invitePage(visit, { email: '', name: '', groups: '', role: 'user' }, {}, 200),
});

const inviteShape = z.object({
  email: address.default(''),
  name: personName.default(''),
  groups: z.string().max(5000).default(''),
  role: z.enum(['user', 'admin']).default('user'),
});

function invitePage(
  visit: PersonVisit,
  filled: z.infer<typeof inviteShape>,
  problems: Problems,
  status: number,
): PageAnswer {
  return visit.page({
    title: 'Invite somebody',
    section: 'admin/accounts',
    width: 'narrow',
    status,
    body: html`${problemSummary(problems)}<p>They get a mail with a link to choose a password.</p>
<form method="post" action="${visit.prefix}admin/accounts/invite" novalidate>${visit.formToken()}
${field({ name: 'email', label: 'Mail address', type: 'email', value: filled.email, autocomplete: 'off', problem: problems.email })}
${field({ name: 'name', label: 'Name', hint: 'You can leave it empty. They may write it themselves.', value: filled.name, autocomplete: 'off', isRequired: false, maxLength: 100, problem: problems.name })}
${groupsField(filled.groups, problems)}
${select({ name: 'role', label: 'Role', choices: roles, value: filled.role })}
<button type="submit">Send the invitation</button></form>`,
  });
}

function groupsField(value: string, problems: Problems): Html {
  const hint = 'Names for the sites behind this gateway, with commas between them. Empty for none.';
  return field({
    name: 'groups',
    label: 'Groups',
    value,
    hint,
    autocomplete: 'off',
    isRequired: false,
    maxLength: 5000,
    problem: problems.groups,
  });
}

const inviteForm = defineForm({
  path: 'admin/accounts/invite',
  who: 'admin',
  form: inviteShape,
  handle: async (visit, { form }) => {
    const outcome = await createAccount(visit.context, visit.actor, {
      email: form.email,
      displayName: form.name,
      groups: groupsOf(form.groups),
      role: form.role,
      invited: true,
      requestId: visit.origin.requestId,
    });
    if (outcome.kind === 'created') return visit.redirect(`${visit.prefix}admin/accounts?done=invited`);
    switch (outcome.reason) {
      case 'not-allowed':
        return visit.errorPage(403);
      case 'bad-address':
        return invitePage(visit, form, { email: 'That is no mail address. It looks like you@example.org.' }, 422);
      case 'exists':
        return invitePage(visit, form, { email: 'There is an account with this address already.' }, 422);
      case 'bad-name':
        return invitePage(visit, form, { name: 'That name cannot be used. Take up to 100 plain characters.' }, 422);
      case 'bad-groups':
        return invitePage(visit, form, { groups: badGroups }, 422);
      case 'busy':
        return visit.errorPage(503);
      default:
        // an invitation sets no password
        return visit.errorPage(400);
    }
  },
});

const badGroups =
  'Those groups cannot be used. Take at most 64, of up to 64 characters each and not much more than 1000 together.';

function groupsOf(text: string): string[] {
  return text
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '');
}

const params = z.object({ account: id });

const detail = definePage({
  path: 'admin/accounts/:account',
  who: 'admin',
  params,
  query: z.object({ done }),
  handle: async (visit, input) => detailPage(visit, input.params.account, {}, 200, input.query.done),
});

async function detailPage(
  visit: PersonVisit,
  accountId: string,
  problems: Problems,
  status: number,
  said?: keyof typeof doneWords,
): Promise<PageAnswer> {
  const { context, actor, prefix } = visit;
  const found = await adminReadAccount(context, actor, { accountId });
  if (found.kind === 'refused') return visit.errorPage(404);
  const { account } = found;
  const at = (verb: string): string => `${prefix}admin/accounts/${account.id}/${verb}`;
  const button = (verb: string, text: string, kind: 'plain' | 'bad' | ''): Html =>
    buttonForm({ action: at(verb), formToken: visit.formToken(), text, kind });
  const isWaiting = account.emailVerifiedAt === null;
  return visit.page({
    title: account.displayName === '' ? account.email : account.displayName,
    section: 'admin/accounts',
    status,
    body: html`${problemSummary(problems)}${said === undefined ? null : note('good', doneWords[said])}
<section class="sheet" aria-label="About"><dl class="facts"><dt>Address</dt><dd>${account.email}</dd><dt>Status</dt><dd>${statusTag(account)}</dd><dt>Role</dt><dd>${roleWord(context.config(), account)}</dd>
<dt>Since</dt><dd>${moment(account.createdAt)}</dd><dt>Password</dt><dd>${account.hasPassword ? 'set' : 'none'}</dd><dt>Id</dt><dd><code>${account.id}</code></dd></dl>
<div class="row">${
      account.state === 'active' ? button('disable', 'Block', 'bad') : button('enable', 'Unblock', '')
    }${account.state === 'active' ? button('end-sessions', 'Sign out everywhere', 'plain') : null}${
      isWaiting && account.state === 'active' ? button('invite', 'Send the invitation again', 'plain') : null
    }<a class="button plain" href="${prefix}admin/credentials?account=${account.id}">Credentials</a><a class="button plain" href="${prefix}admin/audit?subject=${account.id}">History</a></div></section>
<section class="sheet" aria-labelledby="about-role"><h2 id="about-role">Role</h2><form method="post" action="${at('role')}">${visit.formToken()}
${select({ name: 'role', label: 'What they may do', choices: roles, value: account.role })}<button type="submit">Save the role</button></form></section>
<section class="sheet" aria-labelledby="about-groups"><h2 id="about-groups">Groups</h2><form method="post" action="${at('groups')}" novalidate>${visit.formToken()}
${groupsField(account.groups.join(', '), problems)}<button type="submit">Save the groups</button></form></section>`,
  });
}

/** A form with one action on one account. Afterwards the account's page says that it was done, or why not. */
function actionForm<F>(
  verb: string,
  said: keyof typeof doneWords,
  form: z.ZodType<F>,
  act: (visit: PersonVisit, accountId: string, filled: F) => Promise<AdminOutcome | { readonly kind: 'made' }>,
): PageRoute {
  return defineForm({
    path: `admin/accounts/:account/${verb}`,
    who: 'admin',
    params,
    form,
    handle: async (visit, { params: { account }, form: filled }) => {
      const outcome = await act(visit, account, filled);
      if (outcome.kind !== 'refused') return visit.redirect(`${visit.prefix}admin/accounts/${account}?done=${said}`);
      return refused(visit, account, outcome);
    },
  });
}

function refused(visit: PersonVisit, accountId: string, { reason }: AdminRefused): Promise<PageAnswer> | PageAnswer {
  switch (reason) {
    case 'not-allowed':
      return visit.errorPage(403);
    case 'unknown':
      return visit.errorPage(404);
    case 'last-admin':
      return detailPage(visit, accountId, { '': 'This is the only administrator. Make somebody else one first.' }, 422);
    case 'bad-groups':
      return detailPage(visit, accountId, { groups: badGroups }, 422);
    case 'verified':
    case 'unverified':
    case 'disabled':
      return detailPage(
        visit,
        accountId,
        { '': 'That does not fit the account as it is now. Load the page again.' },
        409,
      );
    default:
      return reason satisfies never;
  }
}

const nothing = z.object({});

const actions: readonly PageRoute[] = [
  actionForm('disable', 'disabled', nothing, (visit, accountId) =>
    adminDisable(visit.context, visit.actor, targetOf(visit, accountId)),
  ),
  actionForm('enable', 'enabled', nothing, (visit, accountId) =>
    adminEnable(visit.context, visit.actor, targetOf(visit, accountId)),
  ),
  actionForm('end-sessions', 'ended', nothing, (visit, accountId) =>
    adminEndSessions(visit.context, visit.actor, targetOf(visit, accountId)),
  ),
  actionForm('invite', 'invited', nothing, (visit, accountId) =>
    inviteAgain(visit.context, visit.actor, targetOf(visit, accountId)),
  ),
  actionForm('role', 'role', z.object({ role: z.enum(['user', 'admin']) }), (visit, accountId, { role }) =>
    adminSetRole(visit.context, visit.actor, { ...targetOf(visit, accountId), role }),
  ),
  actionForm(
    'groups',
    'groups',
    z.object({ groups: z.string().max(5000).default('') }),
    (visit, accountId, { groups }) =>
      adminSetGroups(visit.context, visit.actor, { ...targetOf(visit, accountId), groups: groupsOf(groups) }),
  ),
];

function targetOf(visit: PersonVisit, accountId: string): { readonly accountId: string; readonly requestId: string } {
  return { accountId, requestId: visit.origin.requestId };
}

/** The pages of this file; `pages.ts` lists them. */
export const adminAccountPages: readonly PageRoute[] = [list, invite, inviteForm, detail, ...actions];
