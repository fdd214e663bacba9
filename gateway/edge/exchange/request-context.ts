// What the phases of one request hand on: what came, from whom, and what it is judged by. Shapes only; made once a request.

import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { RequestTrace } from '../../telemetry/trace-context.ts';
import type { Described } from '../request/describe.ts';
import type { Downstream } from './downstream.ts';

/** One request on its way through the phases of lifecycle.ts. */
export interface RequestContext {
  readonly downstream: Downstream;
  readonly request: Described;
  /** Taken once: a reload never changes a request in flight. */
  readonly snapshot: Snapshot;
  /** Taken once, by the ticker. */
  readonly now: EpochSeconds;
  readonly requestId: string;
  /** null where latchkey takes no part in traces. */
  readonly trace: RequestTrace | null;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}
