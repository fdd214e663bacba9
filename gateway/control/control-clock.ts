// The clock as control takes it: an argument, so that tests can hold it still.

/** `monotonicMs` never goes back and only its differences mean something. */
export interface ControlClock {
  readonly monotonicMs: () => number;
}
