// The endpoints of `v1` that read the audit log: newest first for people who look something up, oldest first for programs that copy it.
// Only administrators and the operator may call them. Details hold no secrets, see store/rows/audit.ts.

import { z } from 'zod';
import { beginAuditExport } from '../../control/accounts/export-audit.ts';
import { latestMoment } from '../../core/model/time.ts';
import { type AuditEntry, listAudit, listAuditForward } from '../../store/rows/audit.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { id, moment } from '../serve/shapes.ts';

const entryShape = z.object({
  position: z.int(),
  at: z.int(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  request_id: z.string().nullable(),
});

/** A page of the audit log; the command line reads it too. */
export const auditShape = z.object({ entries: z.array(entryShape), next: z.int().nullable() });

/** The answer to the beginning of an export; the command line reads it too. */
export const auditExportShape = z.object({
  through: z.int().describe('position of the last entry that belongs to the export: the one that says who began it'),
});

const position = z.coerce.number().int().max(Number.MAX_SAFE_INTEGER);
const seconds = z.coerce.number().int().min(0).max(latestMoment);
const [since, until] = ['only entries from this moment on', 'only entries before this moment'];

const list = defineEndpoint({
  method: 'GET',
  path: 'audit',
  summary: 'What was done, by whom and to what; newest first, and with `after` oldest first',
  who: 'admin',
  query: z.object({
    subject: id.optional(),
    actor: id.optional(),
    before: position.min(1).optional(),
    after: position
      .min(0)
      .optional()
      .describe('oldest first, behind this position: 0, then `next` of the page before. A page may be empty'),
    since_at: seconds.optional().describe(since),
    until_at: seconds.optional().describe(until),
    limit: z.coerce.number().int().min(1).max(500).default(50),
  }),
  response: auditShape,
  handle: async ({ context: { store }, query }) => {
    const { subject, actor, before, after, since_at: from, until_at: end, limit } = query;
    const filters = {
      limit,
      ...(subject === undefined ? {} : { subject }),
      ...(actor === undefined ? {} : { actor }),
      ...(from === undefined ? {} : { from }),
      ...(end === undefined ? {} : { until: end }),
    };
    if (after !== undefined && before !== undefined) {
      return refuse(400, 'bad-input', 'A page begins behind a position or before one: give after or before.');
    }
    const found =
      after === undefined
        ? await listAudit(store.sql, { ...filters, ...(before === undefined ? {} : { before }) })
        : await listAuditForward(store.sql, { ...filters, after });
    return answer({ entries: found.entries.map(showEntry), next: found.next });
  },
});

const begin = defineEndpoint({
  method: 'POST',
  path: 'audit/exports',
  summary: 'Begin a copy of the audit log, which the log notes; its entries are those of `GET audit` with `after`',
  who: 'admin',
  body: z.strictObject({
    since_at: moment.optional().describe(since),
    until_at: moment.optional().describe(until),
  }),
  response: auditExportShape,
  handle: async ({ context, actor, body, request: { requestId } }) => {
    const { since_at: sinceAt = null, until_at: untilAt = null } = body;
    const begun = await beginAuditExport(context, actor, { sinceAt, untilAt, requestId });
    return begun.kind === 'refused' ? refusalFor(begun.reason) : answer({ through: begun.through }, 201);
  },
});

function showEntry({ requestId, details, ...entry }: AuditEntry): z.input<typeof entryShape> {
  return { ...entry, details: { ...details }, request_id: requestId };
}

/** The endpoints of this file; `endpoints.ts` lists them. */
export const auditEndpoints: readonly Endpoint[] = [list, begin];
