// The page "History": the audit log, newest first, a page at a time, by who, what and when; and the same as a file. It only reads.
// People and things stand there by name and lead to their pages; the details of an entry hold no secrets, see store/rows/audit.ts.

import { z } from 'zod';
import {
  type HistoryPage,
  type HistoryQuery,
  type historyTopics,
  readHistory,
} from '../../control/accounts/read-history.ts';
import { auditSentence, isAuditAction } from '../../core/model/audit.ts';
import { isOfKind } from '../../core/model/node-id.ts';
import type { AuditEntry } from '../../store/rows/audit.ts';
import { csvText } from '../look/csv.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { defineForm, definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { field, momentField, type Problems, problemSummary, readMoment, select, zoneField } from './fields.ts';

const pageSize = 50;
/** Most entries of a file; the page says so. */
const maxInFile = 10_000;

const topicWords = {
  accounts: 'Accounts',
  'sign-ins': 'Signing in',
  sharing: 'Links and sharing',
  keys: 'Keys and tokens',
  installation: 'This installation',
} satisfies Record<keyof typeof historyTopics, string>;

const filterShape = z.object({
  who: z.string().max(320).default(''),
  what: z.enum(['', 'accounts', 'sign-ins', 'sharing', 'keys', 'installation']).catch('').default(''),
  from: z.string().max(40).default(''),
  until: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
  subject: id.optional(),
});

type Filters = z.infer<typeof filterShape>;

const audit = definePage({
  path: 'admin/audit',
  who: 'admin',
  query: filterShape.extend({ before: z.coerce.number().int().min(1).optional() }),
  handle: async (visit, { query: { before, ...filters } }) => {
    const { prefix, context, actor } = visit;
    const { query, problems } = readFilters(filters, visit.timeZone);
    const found = await readHistory(context, actor, { ...query, before, limit: pageSize });
    if (found.kind === 'refused') return visit.errorPage(403);
    const { entries, names, next } = found;
    const isPart = Object.values(query).some((value) => value !== undefined && value !== '');
    const older = new URLSearchParams({ ...givenOf(filters), before: String(next ?? '') });
    return visit.page({
      title: 'History',
      section: 'admin/audit',
      status: Object.keys(problems).length === 0 ? 200 : 422,
      body: html`${problemSummary(problems)}${filterForm(visit, filters, query, problems, isPart)}
${
  entries.length === 0
    ? html`<p>${isPart ? 'Nothing like that happened.' : 'Nothing happened yet.'}</p>`
    : html`<div class="scroll" role="region" aria-label="History" tabindex="0"><table class="stack" role="table"><thead role="rowgroup"><tr role="row"><th scope="col">When</th><th scope="col">What</th><th scope="col">To</th><th scope="col">Details</th></tr></thead>
<tbody role="rowgroup">${entries.map((entry) => auditRow(prefix, entry, names))}</tbody></table></div>`
}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}admin/audit?${older.toString()}">Older</a></p>`}
${entries.length === 0 ? null : exportForm(visit, filters)}`,
    });
  },
});

/** What the filters ask for. A date that is none asks for nothing, and is a problem of the form. */
function readFilters(
  { who, what, from, until, zone, subject }: Filters,
  timeZone: string,
): { readonly query: Omit<HistoryQuery, 'limit' | 'before'>; readonly problems: Problems } {
  const [start, end] = [readMoment(from, zone, timeZone), readMoment(until, zone, timeZone)];
  return {
    query: {
      who: who.trim(),
      topic: what === '' ? undefined : what,
      subject,
      from: start.kind === 'moment' ? start.at : undefined,
      until: end.kind === 'moment' ? end.at : undefined,
    },
    problems: {
      ...(start.kind === 'problem' ? { from: start.problem } : {}),
      ...(end.kind === 'problem' ? { until: end.problem } : {}),
    },
  };
}

/** The filters that say something, for an address or for hidden fields. */
function givenOf(filters: Filters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(filters).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])),
  );
}

function filterForm(
  { prefix, timeZone }: PersonVisit,
  filters: Filters,
  query: Omit<HistoryQuery, 'limit'>,
  problems: Problems,
  isPart: boolean,
): Html {
  const topics = Object.entries(topicWords).map(([value, label]) => ({ value, label }));
  const subject =
    filters.subject === undefined ? null : html`<input type="hidden" name="subject" value="${filters.subject}">`;
  return html`<details class="filters"${isPart || Object.keys(problems).length > 0 ? html` open` : null}><summary>Search the history</summary>
<form method="get" action="${prefix}admin/audit" role="search" novalidate>${zoneField()}${subject}<div class="columns">
${field({ name: 'who', label: 'Who', hint: 'Part of a name or address.', type: 'search', value: filters.who, autocomplete: 'off', isRequired: false })}
${select({ name: 'what', label: 'What', choices: [{ value: '', label: 'Everything' }, ...topics], value: filters.what })}
${momentField({ name: 'from', label: 'From', value: query.from ?? filters.from, problem: problems.from, timeZone })}
${momentField({ name: 'until', label: 'Until', value: query.until ?? filters.until, problem: problems.until, timeZone })}</div>
<div class="row"><button class="plain" type="submit">Search</button>${isPart ? html`<a class="button plain" href="${prefix}admin/audit">Show all</a>` : null}</div></form></details>`;
}

function exportForm(visit: PersonVisit, filters: Filters): Html {
  const hidden = Object.entries(givenOf(filters)).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form class="export" method="post" action="${visit.prefix}admin/audit/export">${visit.formToken()}${hidden}
<p class="hint">As a file: what is searched for, newest first, at most ${maxInFile.toLocaleString('en')} entries.</p>
<div class="row"><button class="plain" name="format" value="csv" type="submit">Download CSV</button><button class="plain" name="format" value="jsonl" type="submit">Download JSON lines</button></div></form>`;
}

const exported = defineForm({
  path: 'admin/audit/export',
  who: 'admin',
  form: filterShape.extend({ format: z.enum(['csv', 'jsonl']) }),
  handle: async (visit, { form: { format, ...filters } }) => {
    const { query, problems } = readFilters(filters, visit.timeZone);
    if (Object.keys(problems).length > 0) return visit.errorPage(400);
    const records: HistoryRecord[] = [];
    let before: number | undefined;
    while (records.length < maxInFile) {
      const found = await readHistory(visit.context, visit.actor, { ...query, before, limit: 500 });
      if (found.kind === 'refused') return visit.errorPage(403);
      records.push(...found.entries.map((entry) => recordOf(entry, found.names)));
      if (found.next === null) break;
      before = found.next;
    }
    const text =
      format === 'csv'
        ? csvText([columns, ...records.map((record) => columns.map((column) => cellOf(record[column])))])
        : records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson';
    return { kind: 'file', type, bytes: Buffer.from(text), filename: `history.${format}` };
  },
});

const columns = ['at', 'actor', 'actor_name', 'action', 'subject', 'subject_name', 'details', 'request_id'] as const;

/** An entry as it stands in a file. */
type HistoryRecord = ReturnType<typeof recordOf>;

function recordOf(entry: AuditEntry, names: HistoryPage['names']) {
  return {
    at: new Date(entry.at * 1000).toISOString(),
    actor: entry.actor,
    actor_name: names.get(entry.actor)?.name ?? null,
    action: entry.action,
    subject: entry.subject,
    subject_name: subjectName(entry.subject, names),
    details: entry.details,
    request_id: entry.requestId,
  };
}

function cellOf(value: HistoryRecord[keyof HistoryRecord]): string | null {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

function auditRow(prefix: string, entry: AuditEntry, names: HistoryPage['names']): Html {
  const actor = names.get(entry.actor)?.name ?? actorWords(entry);
  const said = isAuditAction(entry.action) ? auditSentence(entry.action, actor) : `${actor}: ${entry.action}`;
  const details = Object.entries(entry.details).map(([name, value]) => detailWords(prefix, name, value, names));
  const shown = details.map((detail, index) => html`${index === 0 ? null : ', '}${detail}`);
  return html`<tr role="row"><td role="cell" class="soft">${moment(entry.at)}</td><td role="cell">${said}</td><td role="cell">${subjectOf(prefix, entry.subject, names)}</td><td role="cell">${shown}</td></tr>`;
}

/** Actions of visitors who are not signed in. Their actor in the log is `system`, but latchkey did not act by itself. */
const byVisitors: ReadonlySet<string> = new Set([
  'session.refused',
  'account.registered',
  'account.code-requested',
  'account.password-reset-requested',
]);

function actorWords({ actor, action }: AuditEntry): string {
  if (actor === 'operator') return 'The operator';
  if (isOfKind('account', actor)) return 'Somebody whose account is deleted';
  if (actor !== 'system') return actor;
  return byVisitors.has(action) ? 'Somebody' : 'latchkey';
}

/** One detail in words: `claims_allowed` 3 becomes `claims allowed: 3`, and the number of `claim_until_at` a date and time. */
function detailWords(
  prefix: string,
  name: string,
  value: string | number | boolean | null,
  names: HistoryPage['names'],
): Html {
  const words = name.replace(/_at$/, '').replaceAll('_', ' ');
  if (name.endsWith('_at') && typeof value === 'number') return html`${words}: ${moment(value)}`;
  if (typeof value === 'string' && names.has(value)) return html`${words}: ${subjectOf(prefix, value, names)}`;
  return html`${words}: ${typeof value === 'boolean' ? (value ? 'yes' : 'no') : (value ?? 'none')}`;
}

/** What a record is called; null for one without a name. */
function subjectName(subject: string, names: HistoryPage['names']): string | null {
  const found = names.get(subject);
  if (found === undefined) return null;
  const person = found.name || 'somebody who is gone';
  switch (found.kind) {
    case 'account':
    case 'link':
      return found.name;
    case 'member':
      return `${person}, by “${found.detail ?? ''}”`;
    case 'device':
      return `${found.detail || 'A browser'} of ${person}`;
    case 'session':
      return `A sign-in of ${person}`;
    case 'access-key':
      return `Links of ${found.name}`;
    case 'credential':
      return found.detail === null ? `“${found.name}”` : `“${found.name}” of ${found.detail}`;
    case 'credential-key':
      return `The key “${found.name}” of “${found.detail ?? ''}”`;
    case 'share':
      return `The key “${found.name}” for ${found.detail ?? 'somebody who is gone'}`;
    case 'representation':
      return `The key “${found.name}”, to carry`;
    default:
      return found.kind satisfies never;
  }
}

/** A record by its name, leading to its page where it has one. */
function subjectOf(prefix: string, subject: string, names: HistoryPage['names']): Html {
  const found = names.get(subject);
  const name = subjectName(subject, names);
  if (found === undefined || name === null) return html`<code>${subject}</code>`;
  if (found.kind === 'account') return html`<a href="${prefix}admin/accounts/${subject}">${name}</a>`;
  if (found.kind === 'credential') return html`<a href="${prefix}admin/credentials/${subject}">${name}</a>`;
  if (found.kind === 'share') return html`<a href="${prefix}shares/${subject}">${name}</a>`;
  if (found.linkId !== null) return html`<a href="${prefix}links/${found.linkId}">${name}</a>`;
  return html`${name}`;
}

/** The pages of this file; `pages.ts` lists them. */
export const adminAuditPages: readonly PageRoute[] = [audit, exported];
