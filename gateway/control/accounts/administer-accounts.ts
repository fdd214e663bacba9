// What admins and the operator do with accounts: list, disable, enable, role, groups, a new invitation, a sign-in link.
// Each function takes the actor and asks whether the actor may. Disabling ends sessions and tokens at once; a change of groups counts at once where a
// route lets in by group, and reaches sites when tokens are renewed (at most 15 minutes), a change of role reaches the next request, since the role is read from the row.

import { type AccountRole, accountStanding, normaliseGroups } from '../../core/model/account.ts';
import { groupsNode } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { type AccountStatus, listAccountRows } from '../../store/rows/account-lists.ts';
import { type AccountRecord, readAccount, updateAccount } from '../../store/rows/accounts.ts';
import { appendAudit, type NewAuditEntry } from '../../store/rows/audit.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { resumeAccountKeys, stopAccountKeys } from '../keys/end-account-keys.ts';
import { issueCode } from '../proof/one-time-code.ts';
import { mailCode } from './account-mails.ts';
import { isLastAdmin } from './administer.ts';
import { sendInvitation } from './create-account.ts';
import { endAccountSessions } from './end-belongings.ts';

/** An account as administrators see it. */
export interface AccountView extends Omit<AccountRecord, 'passwordHash'> {
  readonly hasPassword: boolean;
}

interface AccountTarget {
  readonly accountId: string;
  readonly requestId?: string | null | undefined;
}

export interface AdminRefused {
  readonly kind: 'refused';
  readonly reason: 'not-allowed' | 'unknown' | 'last-admin' | 'bad-groups' | 'verified' | 'unverified' | 'disabled';
}

export type AdminOutcome = { readonly kind: 'done' } | AdminRefused;

const maxListed = 500;

/** A page of accounts, by address. @param query.limit  1 to 500, default 50. @param query.after  `next` of the page before */
export async function adminListAccounts(
  context: ControlContext,
  actor: Actor,
  query: {
    readonly search?: string | undefined;
    readonly status?: AccountStatus | undefined;
    readonly role?: AccountRole | undefined;
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
  } = {},
): Promise<
  { readonly kind: 'listed'; readonly accounts: readonly AccountView[]; readonly next: string | null } | AdminRefused
> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const limit = Math.min(Math.max(1, query.limit ?? 50), maxListed);
  const { status, role } = query;
  const page = { search: query.search?.trim() || null, status, role, after: placeOf(query.after), limit: limit + 1 };
  const rows = await listAccountRows(context.store.sql, page);
  const accounts = rows.slice(0, limit).map(viewOf);
  const last = accounts.at(-1);
  return {
    kind: 'listed',
    accounts,
    next: rows.length > limit && last !== undefined ? `${last.id} ${last.email}` : null,
  };
}

/** Parses `next`: an id, a space, an address. An id has no space, so the address may hold any text. */
function placeOf(after: string | undefined): { readonly id: string; readonly email: string } | null {
  if (after === undefined) return null;
  const space = after.indexOf(' ');
  return space < 0 ? { id: after, email: '' } : { id: after.slice(0, space), email: after.slice(space + 1) };
}

export async function adminReadAccount(
  context: ControlContext,
  actor: Actor,
  { accountId }: AccountTarget,
): Promise<{ readonly kind: 'found'; readonly account: AccountView } | AdminRefused> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const account = await readAccount(context.store.sql, accountId);
  if (account === null || account.state === 'deleted') return { kind: 'refused', reason: 'unknown' };
  return { kind: 'found', account: viewOf(account) };
}

/** Ends every session and token at once, and stops the keys that the account gave; nothing is lost, see `adminEnable`. */
export async function adminDisable(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget,
): Promise<AdminOutcome> {
  return await administer(context, actor, target, async (unit, account) => {
    if (await isLastAdmin(unit, account)) return { kind: 'refused', reason: 'last-admin' };
    await updateAccount(unit.sql, account.id, { state: 'disabled' });
    const sessionsEnded = await endAccountSessions(unit, account.id);
    await stopAccountKeys(unit, account.id);
    return { action: 'account.disabled', details: { sessions_ended: sessionsEnded } };
  });
}

/** Lets the account sign in again; its sessions stay ended, its memberships hold, and so do the keys that it gave. */
export async function adminEnable(context: ControlContext, actor: Actor, target: AccountTarget): Promise<AdminOutcome> {
  return await administer(context, actor, target, async (unit, account) => {
    await updateAccount(unit.sql, account.id, { state: 'active' });
    await unit.append({ kind: 'touch', node: account.id });
    await resumeAccountKeys(unit, account.id);
    return { action: 'account.enabled' };
  });
}

export async function adminSetRole(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget & { readonly role: AccountRole },
): Promise<AdminOutcome> {
  return await administer(context, actor, target, async (unit, account) => {
    if (target.role !== 'admin' && (await isLastAdmin(unit, account))) return { kind: 'refused', reason: 'last-admin' };
    await updateAccount(unit.sql, account.id, { role: target.role });
    await unit.append({ kind: 'touch', node: account.id });
    return { action: 'account.role-changed', details: { role: target.role } };
  });
}

export async function adminSetGroups(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget & { readonly groups: readonly string[] },
): Promise<AdminOutcome> {
  const groups = normaliseGroups(target.groups);
  if (groups === null) return { kind: 'refused', reason: 'bad-groups' };
  return await administer(context, actor, target, async (unit, account) => {
    await updateAccount(unit.sql, account.id, { groups });
    await unit.append({ kind: 'touch', node: account.id });
    // routes that let in by group take no token from before this moment
    await unit.append({ kind: 'revoke', node: groupsNode(account.id) });
    return { action: 'account.groups-changed', details: { groups: groups.length } };
  });
}

/** Signs an account out everywhere. */
export async function adminEndSessions(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget,
): Promise<AdminOutcome> {
  return await administer(context, actor, target, async (unit, account) => {
    const sessionsEnded = await endAccountSessions(unit, account.id);
    return { action: 'session.all-ended', details: { sessions_ended: sessionsEnded } };
  });
}

/** A code that is shown once to the administrator, who hands it over. Its page: `accountPages`. */
type CodeOutcome = { readonly kind: 'made'; readonly code: string } | AdminRefused;

/** Invites somebody again who has not accepted yet; a mail goes out, and earlier invitations are void. */
export async function inviteAgain(context: ControlContext, actor: Actor, target: AccountTarget): Promise<CodeOutcome> {
  return await makeCode(context, actor, target, async (unit, account) => {
    const standing = accountStanding(account);
    if (standing !== 'unverified') return refuse(standing === 'usable' ? 'verified' : 'disabled');
    const { id: accountId, email } = account;
    return { kind: 'made', code: await sendInvitation(unit, context, actor, { accountId, email }) };
  });
}

/** A one-time sign-in link that needs no password. Not for unverified accounts: the link would prove nothing about the mailbox. @param target.mail  send the link by mail as well */
export async function makeSignInLink(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget & { readonly mail?: boolean | undefined },
): Promise<CodeOutcome> {
  return await makeCode(context, actor, target, async (unit, account) => {
    const standing = accountStanding(account);
    if (standing !== 'usable') return refuse(standing === 'unverified' ? 'unverified' : 'disabled');
    const { id: accountId, email } = account;
    await endCodes(unit, accountId, 'sign-in');
    const code = await issueCode(unit, context, { purpose: 'sign-in', accountId });
    if (target.mail === true) await mailCode(unit, context, 'sign-in-link', { to: email, accountId }, code);
    const requestId = target.requestId ?? null;
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'account.sign-in-link-made',
      subject: accountId,
      requestId,
    });
    return { kind: 'made', code };
  });
}

type AuditPart = Pick<NewAuditEntry, 'action' | 'details'>;

/** Makes one change of one account and writes its audit row, in one unit. */
async function administer(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget,
  change: (unit: Unit, account: AccountRecord) => Promise<AuditPart | AdminRefused>,
): Promise<AdminOutcome> {
  if (!mayAdminister(actor)) return refuse('not-allowed');
  const written = await context.write(async (unit): Promise<AdminOutcome> => {
    const account = await readAccount(unit.sql, target.accountId);
    if (account === null || account.state === 'deleted') return refuse('unknown');
    const result = await change(unit, account);
    if ('kind' in result) return result;
    const requestId = target.requestId ?? null;
    await appendAudit(unit, { ...result, actor: actorName(actor), subject: account.id, requestId });
    return { kind: 'done' };
  });
  return written.value;
}

async function makeCode(
  context: ControlContext,
  actor: Actor,
  target: AccountTarget,
  make: (unit: Unit, account: AccountRecord) => Promise<CodeOutcome>,
): Promise<CodeOutcome> {
  if (!mayAdminister(actor)) return refuse('not-allowed');
  const written = await context.write(async (unit): Promise<CodeOutcome> => {
    const account = await readAccount(unit.sql, target.accountId);
    return account === null || account.state === 'deleted' ? refuse('unknown') : await make(unit, account);
  });
  return written.value;
}

function refuse(reason: AdminRefused['reason']): AdminRefused {
  return { kind: 'refused', reason };
}

function viewOf({ passwordHash, ...account }: AccountRecord): AccountView {
  return { ...account, hasPassword: passwordHash !== null };
}
