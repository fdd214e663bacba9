// What the supervisor and its children say to each other over IPC: shapes, and their reading.
// Keys travel here and on edge.sock, never in an argument or the environment, where other users could read them.

import { z } from 'zod';
import type { SigningKey } from '../core/model/signing-key.ts';
import { compiledConfig, feedTls, feedUpstreamTls } from './feed.ts';
import type { Shape } from './shape.ts';

/** An address as it is really bound. */
const boundAddress = z.object({ host: z.string(), port: z.int().min(0).max(65_535) });
export type BoundAddress = Shape<typeof boundAddress>;

/** One key of the ring, see core/model/signing-key.ts. */
const signingKey = z.object({
  id: z.string(),
  algorithm: z.literal('HS256'),
  purpose: z.enum(['content', 'internal']),
  state: z.enum(['signing', 'verifying', 'retired']),
  secret: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
}) satisfies z.ZodType<SigningKey>;

/**
 * The configuration with what was in its files: secrets, never logged. It goes to the edges' feeds, and to the supervisor,
 * so that a control that starts anew needs no file.
 */
const controlState = z.object({
  config: compiledConfig,
  /** The keys that YAML declares; while control runs, the whole ring. */
  keys: z.array(signingKey),
  /** By position in `config.listeners`; null for a plain one. */
  tls: z.array(feedTls.nullable()),
  /** By name of the upstream; the plain ones have none. */
  upstreamTls: z.array(feedUpstreamTls),
});
export type ControlState = Shape<typeof controlState>;

/** First message to control. */
const startControl = z.object({
  type: z.literal('start-control'),
  /** The YAML file, for reloads. */
  file: z.string(),
  /** The last good state: a control that replaces another one needs no file. */
  state: controlState,
  /** What the control before this one knew of the files it watched: what changed since then it has not read. */
  filesKnown: z.string().nullable(),
  sockets: z.object({ edge: z.string(), public: z.string(), admin: z.string() }),
  /** Edges that run already: they may serve with what they knew from the control before this one. */
  runningEdges: z.array(z.string()),
  /** The port a control before this one was given, so that port 0 means the same port again. */
  operationsPort: z.int().nullable(),
});
export type StartControl = Shape<typeof startControl>;

/** First message to an edge. */
const startEdge = z.object({
  type: z.literal('start-edge'),
  /** See wire/names.ts. */
  edgeId: z.string(),
  edgeSocket: z.string(),
  /** Inherited file descriptors of the listeners, in the order of the configuration. */
  listenFds: z.array(z.int()),
  level: z.enum(['debug', 'info', 'warn', 'error']),
});
export type StartEdge = Shape<typeof startEdge>;

/** Later messages to a child. */
const childOrder = z.discriminatedUnion('type', [
  z.object({ type: z.literal('reload') }),
  z.object({ type: z.literal('reopen-logs') }),
  /** To control: the process of this edge is gone. */
  z.object({ type: z.literal('edge-gone'), edge: z.string() }),
  /** Stop accepting, finish what runs within the time, then end. Control has nothing to finish and ends at once. */
  z.object({ type: z.literal('drain'), deadlineMs: z.number() }),
]);
export type ChildOrder = Shape<typeof childOrder>;

const messageToChild = z.discriminatedUnion('type', [startControl, startEdge, childOrder]);
export type MessageToChild = Shape<typeof messageToChild>;

const messageFromChild = z.discriminatedUnion('type', [
  z.object({ type: z.literal('control-ready'), operations: boundAddress }),
  z.object({ type: z.literal('edge-ready'), listening: z.array(boundAddress) }),
  /** `at` is the address's place in the configuration, `code` the system's word for why. */
  z.object({ type: z.literal('cannot-listen'), at: z.string(), code: z.string() }),
  /** Something that a person has to put right first. */
  z.object({ type: z.literal('cannot-start'), problem: z.string(), hint: z.string() }),
  /** This edge does not do as it has to; `edge-gone` answers, also when there is no such edge. */
  z.object({ type: z.literal('end-edge'), edge: z.string() }),
  /** What the watch of files goes by from here on, good files or bad; null without a watch. */
  z.object({ type: z.literal('files-known'), known: z.string().nullable() }),
  /** The state after a reload, with the declared keys: what a control that replaces this one has to start with. */
  z.object({ type: z.literal('state'), state: controlState }),
]);
export type MessageFromChild = Shape<typeof messageFromChild>;

/** @returns null for a message of another form */
export function readMessageToChild(message: unknown): MessageToChild | null {
  const read = messageToChild.safeParse(message);
  return read.success ? read.data : null;
}

/** @returns null for a message of another form */
export function readMessageFromChild(message: unknown): MessageFromChild | null {
  const read = messageFromChild.safeParse(message);
  return read.success ? read.data : null;
}
