// How edges and nodes are named in messages between processes.
// An edge is `e<slot>` for the first process in a slot, and `e<slot>.<n>` for the nth process there: the supervisor gives the
// names, edges say them in the feed's query and in their reports, and control reads the slot out of them.

import { z } from 'zod';

const edgeNamePattern = /^(e[1-9]\d{0,3})(?:\.[1-9]\d{0,8})?$/;

/** The slot of an edge's name, null for a name of another form. */
export function slotOf(edge: string): string | null {
  return edgeNamePattern.exec(edge)?.[1] ?? null;
}

/** An edge's name in a message. */
export const edgeName = z.string().refine((name) => slotOf(name) !== null);

/** Id of an account, a session, a device, a grant or a user record; see core/model/node-id.ts. */
export const nodeId = z.string().min(1).max(300);
