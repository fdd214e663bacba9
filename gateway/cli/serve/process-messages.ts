// What the supervisor and its children say to each other over IPC. Shapes only.
// Keys travel here and on edge.sock, never in an argument or the environment, where other users could read them.

import type { Config } from '../../config/compiled/config.ts';
import type { ControlState } from '../../control/node/load-state.ts';

/** An address as it is really bound. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** First message to control. */
export interface StartControl {
  readonly type: 'start-control';
  /** The YAML file, for reloads. */
  readonly file: string;
  /** The last good state: a control that replaces another one needs no file. */
  readonly state: ControlState;
  /** What the control before this one knew of the files it watched: what changed since then it has not read. */
  readonly filesKnown: string | null;
  readonly sockets: { readonly edge: string; readonly public: string; readonly admin: string };
  /** Edges that run already: they may serve with what they knew from the control before this one. */
  readonly runningEdges: readonly string[];
  /** The port a control before this one was given, so that port 0 means the same port again. */
  readonly operationsPort: number | null;
}

/** First message to an edge. */
export interface StartEdge {
  readonly type: 'start-edge';
  /** `e<slot>` or `e<slot>.<n>`, see control/node/edge-roster.ts. */
  readonly edgeId: string;
  readonly edgeSocket: string;
  /** Inherited file descriptors of the listeners, in the order of the configuration. */
  readonly listenFds: readonly number[];
  readonly level: Config['logs']['level'];
}

/** Later messages to a child. */
export type ChildOrder =
  | { readonly type: 'reload' }
  | { readonly type: 'reopen-logs' }
  /** To control: the process of this edge is gone. */
  | { readonly type: 'edge-gone'; readonly edge: string }
  /** Stop accepting, finish what runs within the time, then end. Control has nothing to finish and ends at once. */
  | { readonly type: 'drain'; readonly deadlineMs: number };

export type MessageToChild = StartControl | StartEdge | ChildOrder;

export type MessageFromChild =
  | { readonly type: 'control-ready'; readonly operations: BoundAddress }
  | { readonly type: 'edge-ready'; readonly listening: readonly BoundAddress[] }
  /** `at` is the address's place in the configuration, `code` the system's word for why. */
  | { readonly type: 'cannot-listen'; readonly at: string; readonly code: string }
  /** Something that a person has to put right first. */
  | { readonly type: 'cannot-start'; readonly problem: string; readonly hint: string }
  /** This edge does not do as it has to; `edge-gone` answers, also when there is no such edge. */
  | { readonly type: 'end-edge'; readonly edge: string }
  /** What the watch of files goes by from here on, good files or bad; null without a watch. */
  | { readonly type: 'files-known'; readonly known: string | null }
  /** The state after a reload, with the declared keys: what a control that replaces this one has to start with. */
  | { readonly type: 'state'; readonly state: ControlState };
