// Everything that is held on a person, as one JSON document, for the person and for admins. No hash, digest or code is in it.

import { readAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { countExport } from '../proof/request-throttle.ts';
import { mayAdminister } from './administer.ts';

/** Newest rows of each list; a person has fewer, and an answer stays bounded. */
const maxRows = 10_000;

type ExportOutcome =
  | { readonly kind: 'exported'; readonly document: AccountExport }
  | { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** Times are epoch seconds. Rows are as the store keeps them, without what is secret; all names in snake_case. */
interface AccountExport {
  readonly exported_at: number;
  readonly account: Readonly<Record<string, unknown>>;
  readonly sessions: readonly object[];
  readonly devices: readonly object[];
  /** Access that was given to the account. */
  readonly memberships: readonly object[];
  /** Links that the account made. */
  readonly links: readonly object[];
  /** Codes that were sent: what for and when. */
  readonly codes: readonly object[];
  /** Mails: of which kind and when. What they said is wiped after delivery. */
  readonly mails: readonly object[];
  /** What the account did, and what was done to it. */
  readonly audit: readonly object[];
}

export async function exportAccount(
  context: ControlContext,
  actor: Actor,
  input: { readonly accountId?: string | undefined; readonly requestId?: string | null | undefined } = {},
): Promise<ExportOutcome> {
  const own = actor.kind === 'account' ? actor.accountId : null;
  const accountId = input.accountId ?? own;
  if (accountId === null) return { kind: 'refused', reason: 'unknown' };
  if (accountId !== own && !mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const { sql } = context.store;
  const account = await readAccount(sql, accountId);
  if (account === null || account.state === 'deleted') return { kind: 'refused', reason: 'unknown' };
  // Before reading, so that the export itself is in it.
  const { value: retryAfterSeconds } = await context.write(async (unit) => {
    const wait = accountId === own ? await countExport(unit, accountId) : null;
    if (wait !== null) return wait;
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'account.exported',
      subject: accountId,
      requestId: input.requestId ?? null,
    });
    return null;
  });
  if (retryAfterSeconds !== null) return { kind: 'busy', retryAfterSeconds };
  const document: AccountExport = {
    exported_at: context.clock.epochSeconds(),
    account: {
      id: account.id,
      email: account.email,
      email_verified_at: account.emailVerifiedAt,
      name: account.displayName,
      groups: account.groups,
      role: account.role,
      state: account.state,
      created_at: account.createdAt,
      has_password: account.passwordHash !== null,
    },
    sessions: await sql
      .selectFrom('sessions')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    devices: await sql
      .selectFrom('devices')
      .select(['id', 'name', 'user_agent', 'created_at', 'last_seen_at', 'ended_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    memberships: await sql
      .selectFrom('members')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('claimed_at', 'desc')
      .limit(maxRows)
      .execute(),
    links: await sql
      .selectFrom('links')
      .select([
        'id',
        'collection',
        'host',
        'path',
        'label',
        'claims_allowed',
        'claims_used',
        'created_at',
        'revoked_at',
      ])
      .where('owner_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    codes: await sql
      .selectFrom('one_time_codes')
      .select(['purpose', 'created_at', 'expires_at', 'used_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    mails: await sql
      .selectFrom('outbox')
      .select(['kind', 'created_at', 'delivered_at', 'given_up_at'])
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .limit(maxRows)
      .execute(),
    audit: await sql
      .selectFrom('audit')
      .select(['at', 'actor', 'action', 'subject', 'details'])
      .where((query) => query.or([query('subject', '=', accountId), query('actor', '=', accountId)]))
      .orderBy('position', 'desc')
      .limit(maxRows)
      .execute(),
  };
  return { kind: 'exported', document };
}
