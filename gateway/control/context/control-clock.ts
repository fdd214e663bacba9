// The clock as control takes it: an argument, so that tests can hold it still.

import type { EpochSeconds } from '../../core/model/time.ts';

/** `monotonicMs` never goes back, and only differences of its values mean something: for deadlines and ages. */
export interface ControlClock {
  readonly monotonicMs: () => number;
  /** Wall-clock time: for what is stored and what stands in tokens. */
  readonly epochSeconds: () => EpochSeconds;
}
