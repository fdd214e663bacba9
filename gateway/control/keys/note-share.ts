// One row of the audit log for what is done with keys, credentials and shares: who, what, when, by which request, and from where. From where
// is the /24 or the /48 of the client: enough to tell home from abroad, and no address of a person.

import type { AuditAction } from '../../core/model/audit.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import type { Unit } from '../../store/port/store.ts';
import { type AuditDetails, appendAudit } from '../../store/rows/audit.ts';

/** Where a request came from. */
export interface Origin {
  readonly requestId: string | null;
  /** As the edge reports it; empty for the operator and for what latchkey does by itself. */
  readonly clientAddress: string;
}

/** The part of latchkey itself: no client asked. */
export const noOrigin: Origin = { requestId: null, clientAddress: '' };

interface Noted {
  /** Account id, `operator` or `system`. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Id of the share, key, credential or representation. */
  readonly subject: string;
  /** Ids and numbers; never an address of a person. */
  readonly details?: AuditDetails;
  readonly origin: Origin;
}

export async function noteShare(unit: Unit, { actor, action, subject, details = {}, origin }: Noted): Promise<void> {
  const network = origin.clientAddress === '' ? null : clientNetworks(origin.clientAddress).network;
  await appendAudit(unit, {
    ...{ actor, action, subject, requestId: origin.requestId },
    details: network === null ? details : { ...details, network },
  });
}
