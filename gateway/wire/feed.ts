// The feed: what control tells an edge over `edge.sock`, in one endless response to `GET /feed?edge=<name>`.
// HTTP/1.1 on a Unix socket, newline-delimited JSON: first `snapshot`, then whatever changes, and a `heartbeat` each second.
// Shapes and their reading only, no I/O. A message carries keys: it is never logged, and neither is a part of it.

import { z } from 'zod';
import type { Config } from '../config/compiled/config.ts';
import { change, logBeat, logPositionMembers } from './log.ts';
import type { Shape } from './shape.ts';

/** A key on its way to an edge; `secret` is base64url without padding. */
const feedKey = z.object({
  id: z.string(),
  algorithm: z.literal('HS256'),
  purpose: z.enum(['content', 'internal']),
  state: z.enum(['signing', 'verifying', 'retired']),
  secret: z.string(),
});
export type FeedKey = Shape<typeof feedKey>;

/** What is in the PEM files of an upstream's TLS. `key` is a secret: it is never logged and never written anywhere. */
export const feedUpstreamTls = z.object({
  /** Name of the upstream. */
  name: z.string(),
  ca: z.string().nullable(),
  certificate: z.string().nullable(),
  key: z.string().nullable(),
});
export type FeedUpstreamTls = Shape<typeof feedUpstreamTls>;

/** What a listener that ends TLS needs beside its configuration, as PEM texts. The keys are secrets. */
export const feedTls = z.object({
  /** In the order of the configuration. `cert` may hold a chain. */
  certificates: z.array(z.object({ cert: z.string(), key: z.string() })),
  /** The authorities that may sign client certificates; null when no client is asked for one. */
  clientCa: z.string().nullable(),
});
export type FeedTls = Shape<typeof feedTls>;

/**
 * The compiled configuration. It was checked when its file was loaded (config/load.ts), and is checked here for being an object at
 * all: a second description of every setting would have to be kept in step with the first.
 */
export const compiledConfig = z.custom<Config>((value) => typeof value === 'object' && value !== null);

/** Everything that is revoked, as of one place of the log. */
const feedIndex = logBeat.extend({ revocations: z.array(change) });
export type FeedIndex = Shape<typeof feedIndex>;

const feedMessage = z.discriminatedUnion('kind', [
  /** The whole state; sent first, and again after each reload. */
  z.object({
    kind: z.literal('snapshot'),
    seq: z.int(),
    config: compiledConfig,
    keys: z.array(feedKey),
    upstreamTls: z.array(feedUpstreamTls),
    /** By position in `config.listeners`; null for a plain one. */
    tls: z.array(feedTls.nullable()),
    /** 32 bytes, base64url: what all edges make the keys of their session tickets from, so that each resumes the others'. */
    ticketSecret: z.string(),
    /** The path that the reserved prefix is proxied to. */
    publicSocket: z.string(),
    /** null while control cannot read its store: an edge keeps what it has, as old as that is. */
    index: feedIndex.nullable(),
  }),
  /** Each second, and after each look at the log. `log` is null while control knows nothing about the log. */
  z.object({ kind: z.literal('heartbeat'), seq: z.int(), log: logBeat.nullable() }),
  /** The whole index anew: another epoch, or more happened than the log keeps. */
  z.object({ kind: z.literal('index'), index: feedIndex }),
  /** A whole new key ring in place of the one before, and nothing else: sent before the place of the log that it belongs to. */
  z.object({ kind: z.literal('keys'), keys: z.array(feedKey) }),
  /** What happened since the message before, in the order of the log; `epoch` and `seq` are the place after it. */
  z.object({ kind: z.literal('changes'), changes: z.array(change), ...logPositionMembers }),
  /** A new secret for session tickets; those under the one before are not resumed any more. */
  z.object({ kind: z.literal('tickets'), ticketSecret: z.string() }),
  /** Asks for a metrics report with this id. */
  z.object({ kind: z.literal('collect'), id: z.int() }),
]);
export type FeedMessage = Shape<typeof feedMessage>;

/** The first message of every feed. */
export type SnapshotMessage = Extract<FeedMessage, { readonly kind: 'snapshot' }>;

/**
 * Reads one line of the feed.
 *
 * @throws Error for a line of another form; its text holds nothing of the line
 */
export function readFeedMessage(line: string): FeedMessage {
  const read = feedMessage.safeParse(parseJson(line));
  if (read.success) return read.data;
  const at = read.error.issues[0]?.path.join('.') ?? '';
  throw new Error(`control sent a message that is none of the feed's (at ${at === '' ? 'its kind' : at})`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // the error of JSON.parse quotes the text
    return undefined;
  }
}
