// Begins an export of the audit log, and reads it from its first entry to its last, a page at a time. The beginning leaves one entry, so that
// the log says who took a copy; its pages leave none. The place of that entry is the end of the export, which so never runs after itself.

import type { EpochSeconds } from '../../core/model/time.ts';
import { appendAudit, lastAuditPosition } from '../../store/rows/audit.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';

interface AuditExport {
  /** Only entries from this moment on; null for all. */
  readonly sinceAt: EpochSeconds | null;
  /** Only entries before this moment; null for all. */
  readonly untilAt: EpochSeconds | null;
  readonly requestId: string | null;
}

type AuditExportBegun =
  /** `through`: position of the last entry that belongs to the export. */
  { readonly kind: 'begun'; readonly through: number } | { readonly kind: 'refused'; readonly reason: 'not-allowed' };

/** @throws StoreAway */
export async function beginAuditExport(
  context: Pick<ControlContext, 'write'>,
  actor: Actor,
  { sinceAt, untilAt, requestId }: AuditExport,
): Promise<AuditExportBegun> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const { value: through } = await context.write(async (unit) => {
    const details = {
      ...(sinceAt === null ? {} : { since_at: sinceAt }),
      ...(untilAt === null ? {} : { until_at: untilAt }),
    };
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'audit.exported',
      subject: 'audit',
      details,
      requestId,
    });
    return await lastAuditPosition(unit.sql);
  });
  return { kind: 'begun', through };
}
