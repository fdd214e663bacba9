// What an edge tells control over `edge.sock` without asking anything: one row of `reports` a path, each answered 204.
// Shapes only, no I/O. Control parses each report by its row; the edge's types come from the same rows.

import { z } from 'zod';
import { metricSet } from '../telemetry/metrics-aggregate.ts';
import { logPositionMembers } from './log.ts';
import { edgeName, nodeId } from './names.ts';
import type { Shape } from './shape.ts';

/** Header field of every report and question that says which edge sends it, so that an edge that is behind is known to run. */
export const edgeField = 'latchkey-edge';

/** A public Ed25519 key. `strictObject` refuses `d` and every other member. Source: RFC 8037 §2. */
const assertionJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[\w-]{43}$/),
  kid: z.string().min(1).max(200),
  alg: z.enum(['EdDSA', 'Ed25519']),
  use: z.literal('sig'),
});
export type AssertionJwk = Shape<typeof assertionJwk>;

/** The public half of the key that an edge signs assertions with. Answered once the key is in the JWKS. */
const assertionKeyReport = z.object({ edge: edgeName, jwk: assertionJwk });

/** The edge listens. */
const readyReport = z.object({
  edge: edgeName,
  listening: z.array(z.object({ host: z.string(), port: z.int().min(0).max(65_535) })),
});
export type ReadyReport = Shape<typeof readyReport>;

/** The edge acts on the log up to this place. */
const appliedReport = z.object({
  edge: edgeName,
  ...logPositionMembers,
  /** The edge refuses what is revoked there and is still ending what is open: said at once, and again until that is done. */
  isEnding: z.boolean().exactOptional(),
});

const metricsReport = z.object({
  edge: edgeName,
  /** The `collect` id this answers; 0 for the last report of an edge that ends. */
  id: z.int().min(0),
  metrics: metricSet,
});

/** How many entries a report of last use holds at most; what did not fit is told in the next one. */
export const maxSeenPerReport = 2000;

/** A visitor was let in with this session and device. */
const seen = z.object({
  session: nodeId,
  device: nodeId,
  /** The grant that let the visitor in; null where any session was enough. */
  member: nodeId.nullable(),
  /** The last time. */
  at: z.int().min(0),
});
export type Seen = Shape<typeof seen>;

const seenReport = z.object({ edge: edgeName, seen: z.array(seen).max(maxSeenPerReport) });
export type SeenReport = Shape<typeof seenReport>;

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** A kind of report. */
export interface Report<Schema extends z.ZodType> {
  readonly path: string;
  readonly shape: Schema;
  /** The longest body that control reads of it. */
  readonly maxBytes: number;
}

/** One row a kind of report. */
export const reports = {
  assertionKey: { path: '/assertion-keys', shape: assertionKeyReport, maxBytes: 128 * kibibyte },
  ready: { path: '/ready', shape: readyReport, maxBytes: 128 * kibibyte },
  applied: { path: '/applied', shape: appliedReport, maxBytes: 128 * kibibyte },
  metrics: { path: '/metrics', shape: metricsReport, maxBytes: 64 * mebibyte },
  seen: { path: '/seen', shape: seenReport, maxBytes: 2 * mebibyte },
} as const satisfies Readonly<Record<string, Report<z.ZodType>>>;

/**
 * Decision records: lines of JSON (core/decision/verdict/decision-record.ts), for `explain`. Control stores the lines as they are and parses
 * none of them, so that a record of each request costs control a copy; what reads the files later checks each line it needs.
 */
export const decisionLines = {
  path: '/decisions',
  contentType: 'application/x-ndjson',
  maxBytes: 8 * mebibyte,
} as const;

/** Whether a text is whole lines, as `decisionLines` has to be. */
export function areWholeLines(text: unknown): text is string {
  return typeof text === 'string' && text.endsWith('\n');
}
