// How much time the machine took away while something was measured: a beat that comes late tells of a moment in which this
// process, and most likely every other one, stood still. For bounds on times that must not depend on who else uses the machine.

const beatMs = 10;
/** A beat may be this late before it counts: timers are not exact. */
const toleranceMs = 20;

export class Metronome {
  #lastMs = performance.now();
  #lostMs = 0;
  readonly #timer = setInterval(() => this.#beat(), beatMs);

  /** Milliseconds that were taken away since the start. */
  get lostMs(): number {
    this.#beat();
    return this.#lostMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#lastMs - beatMs;
    if (lateMs > toleranceMs) this.#lostMs += lateMs;
    this.#lastMs = nowMs;
  }
}
