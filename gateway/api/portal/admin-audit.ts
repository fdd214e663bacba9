// The page "History": the audit log, newest first, a page at a time. It only reads.
// Ids of accounts link to the page of the account; the details of an entry hold no secrets, see store/rows/audit.ts.

import { z } from 'zod';
import { auditSentence, isAuditAction } from '../../core/model/audit.ts';
import { isId } from '../../core/model/node-id.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { type AuditEntry, listAudit } from '../../store/rows/audit.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';

const pageSize = 50;

const audit = definePage({
  path: 'admin/audit',
  who: 'admin',
  query: z.object({
    subject: id.optional(),
    actor: id.optional(),
    before: z.coerce.number().int().min(1).optional(),
  }),
  handle: async (visit, { query: { subject, actor, before } }) => {
    const { context, prefix } = visit;
    const found = await listAudit(context.store.sql, {
      limit: pageSize,
      ...(subject === undefined ? {} : { subject }),
      ...(actor === undefined ? {} : { actor }),
      ...(before === undefined ? {} : { before }),
    });
    const names = await namesOf(visit, found.entries);
    const older = new URLSearchParams({
      ...(subject === undefined ? {} : { subject }),
      ...(actor === undefined ? {} : { actor }),
      before: String(found.next ?? ''),
    });
    const isPart = subject !== undefined || actor !== undefined;
    return visit.page({
      title: 'History',
      section: 'admin/audit',
      body: html`${isPart ? html`<p>Only what concerns <code>${subject ?? actor}</code>. <a href="${prefix}admin/audit">Show all</a></p>` : null}
${
  found.entries.length === 0
    ? html`<p>Nothing happened yet.</p>`
    : html`<div class="scroll" role="region" aria-label="History" tabindex="0"><table class="stack" role="table"><thead role="rowgroup"><tr role="row"><th scope="col">When</th><th scope="col">What</th><th scope="col">To</th><th scope="col">Details</th></tr></thead>
<tbody role="rowgroup">${found.entries.map((entry) => auditRow(prefix, entry, names))}</tbody></table></div>`
}
${found.next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}admin/audit?${older.toString()}">Older</a></p>`}`,
    });
  },
});

function auditRow(prefix: string, entry: AuditEntry, names: ReadonlyMap<string, string>): Html {
  const actor = names.get(entry.actor) ?? actorWords(entry);
  const said = isAuditAction(entry.action) ? auditSentence(entry.action, actor) : `${actor}: ${entry.action}`;
  const details = Object.entries(entry.details).map(([name, value]) => detailWords(name, value));
  const shown = details.map((detail, index) => html`${index === 0 ? null : ', '}${detail}`);
  return html`<tr role="row"><td role="cell" class="soft">${moment(entry.at)}</td><td role="cell">${said}</td><td role="cell">${subjectOf(prefix, entry.subject, names)}</td><td role="cell">${shown}</td></tr>`;
}

/** Actions of visitors who are not signed in. Their actor in the log is `system`, but latchkey did not act by itself. */
const byVisitors: ReadonlySet<string> = new Set([
  'session.refused',
  'account.registered',
  'account.password-reset-requested',
]);

function actorWords({ actor, action }: AuditEntry): string {
  if (actor === 'operator') return 'The operator';
  if (actor !== 'system') return actor;
  return byVisitors.has(action) ? 'Somebody' : 'latchkey';
}

/** One detail in words: `claims_allowed` 3 becomes `claims allowed: 3`, and the number of `claim_until_at` a date and time. */
function detailWords(name: string, value: string | number | boolean | null): Html {
  const words = name.replace(/_at$/, '').replaceAll('_', ' ');
  if (name.endsWith('_at') && typeof value === 'number') return html`${words}: ${moment(value)}`;
  return html`${words}: ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : (value ?? 'none')}`;
}

function subjectOf(prefix: string, subject: string, names: ReadonlyMap<string, string>): Html {
  if (isId('account', subject)) {
    return html`<a href="${prefix}admin/accounts/${subject}">${names.get(subject) ?? subject}</a>`;
  }
  return html`<code>${subject}</code>`;
}

/** Mail addresses by account id, for the accounts in these entries. A deleted account has no address any more and is left out. */
async function namesOf(visit: PersonVisit, entries: readonly AuditEntry[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(entries.flatMap(({ actor, subject }) => [actor, subject]).filter((id) => isId('account', id)));
  const names = new Map<string, string>();
  for (const id of ids) {
    const record = await readAccount(visit.context.store.sql, id);
    if (record !== null && record.email !== '') names.set(id, record.email);
  }
  return names;
}

/** The pages of this file; `pages.ts` lists them. */
export const adminAuditPages: readonly PageRoute[] = [audit];
