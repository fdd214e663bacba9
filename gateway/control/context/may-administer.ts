// Who may administer: accounts, credentials, and what belongs to others.

import type { Actor } from './control-context.ts';

/** Admins, the operator, and latchkey itself. The actor's role was read from its row in this request. */
export function mayAdminister(actor: Actor): boolean {
  switch (actor.kind) {
    case 'account':
      return actor.role === 'admin';
    case 'operator':
    case 'system':
      return true;
    default:
      return actor satisfies never;
  }
}
