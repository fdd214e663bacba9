// The change log as it is said to edges: places, changes, and how fresh a place is.
// Shapes only. What a change means is in core/model/change.ts.

import { z } from 'zod';
import type { Change, LogPosition } from '../core/model/change.ts';
import type { Shape } from './shape.ts';

/** A place in the log. Members, to be spread into the messages that say a place. */
export const logPositionMembers = { epoch: z.string().max(64), seq: z.int().min(0) };

export const logPosition = z.object(logPositionMembers) satisfies z.ZodType<LogPosition>;

/** One entry of the log. */
export const change = z.object({
  kind: z.enum(['revoke', 'outside', 'touch', 'keys']),
  node: z.string(),
  seq: z.int().min(0),
  at: z.int(),
}) satisfies z.ZodType<Change>;

/** Control read the change log, and everything up to this place was sent before. */
export const logBeat = z.object({
  ...logPositionMembers,
  /** How long ago, when this was sent. */
  readAgeMs: z.number(),
  /** When this was sent, by the machine's monotonic clock (`machineMs`): a message that waited somewhere is older than it looks. */
  sentAtMs: z.number(),
});
export type LogBeat = Shape<typeof logBeat>;
