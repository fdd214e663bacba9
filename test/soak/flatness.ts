// Judges whether a soak was flat: memory, sockets and latency do not grow, and no socket stays behind.
// Pure: samples in, complaints out.

/** The measurements of one moment, or of the interval up to that moment. */
export interface SoakSample {
  /** Since the load began. */
  readonly seconds: number;
  /** JavaScript heap in use, all edges. */
  readonly heapBytes: number;
  /** Resident memory, all edges. */
  readonly residentBytes: number;
  /** Sockets, all edges. */
  readonly sockets: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sockets of all edges before the load, and once it had ended and idle connections had their time to go. */
interface SocketEnds {
  readonly before: number;
  readonly after: number;
}

const mebibyte = 1024 * 1024;
// Growth over the second half that is no leak: what a heap, and an allocator, come by on their way to a steady state.
const heapGrowth = { bytes: 8 * mebibyte, share: 0.05 };
const residentGrowth = { bytes: 16 * mebibyte, share: 0.1 };
const socketGrowth = 30;
const latencyFactor = 1.5;
// Below this a factor says more about timers than about the gateway.
const latencySlackMs = 1;
// Of the windows, in front: compilers warm up, caches fill.
const warmUpShare = 0.1;
// A garbage collection between two samples is worth megabytes, so the heap is the least of several.
const heapGroup = 3;
const leastSamples = 6;

/** @returns the reasons against flatness; empty when the soak was flat */
export function judgeFlatness(samples: readonly SoakSample[], sockets: SocketEnds): string[] {
  if (samples.length < leastSamples) return [`${samples.length} samples are too few to judge`];
  const half = samples.slice(Math.floor(samples.length / 2));
  const complaints = [
    judgeMemory('heap', least(half, heapGroup), (sample) => sample.heapBytes, heapGrowth),
    judgeMemory('resident memory', half, (sample) => sample.residentBytes, residentGrowth),
    judgeSockets(half),
    sockets.after > sockets.before ? `${sockets.after} sockets stayed, ${sockets.before} were there before` : null,
    judgeLatency(samples.slice(Math.max(1, Math.ceil(samples.length * warmUpShare)))),
  ];
  return complaints.filter((complaint) => complaint !== null);
}

/** Growth of a line fitted to the points (least squares) from the first to the last of them. */
export function fittedGrowth(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return 0;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return slope * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = 0, above = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[middle]];
  return (below + above) / 2;
}

function judgeMemory(
  name: string,
  samples: readonly SoakSample[],
  read: (sample: SoakSample) => number,
  most: { readonly bytes: number; readonly share: number },
): string | null {
  const growth = fittedGrowth(samples.map((sample) => [sample.seconds, read(sample)]));
  const bound = Math.max(most.bytes, mean(samples.map(read)) * most.share);
  if (growth <= bound) return null;
  return `${name} grew by ${mebibytes(growth)} over the second half, more than ${mebibytes(bound)}`;
}

function judgeSockets(samples: readonly SoakSample[]): string | null {
  const growth = fittedGrowth(samples.map((sample) => [sample.seconds, sample.sockets]));
  return growth <= socketGrowth ? null : `sockets grew by ${growth.toFixed(0)} over the second half`;
}

function judgeLatency(samples: readonly SoakSample[]): string | null {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const first = median(samples.slice(0, third).map((sample) => sample.p99Ms));
  const last = median(samples.slice(-third).map((sample) => sample.p99Ms));
  if (last <= first * latencyFactor || last <= first + latencySlackMs) return null;
  return `p99 of the last third is ${last.toFixed(1)} ms, of the first ${first.toFixed(1)} ms`;
}

/** Of each `count` samples the one with the smallest heap. */
function least(samples: readonly SoakSample[], count: number): SoakSample[] {
  const chosen: SoakSample[] = [];
  for (let start = 0; start < samples.length; start += count) {
    const group = samples.slice(start, start + count);
    chosen.push(group.reduce((best, sample) => (sample.heapBytes < best.heapBytes ? sample : best)));
  }
  return chosen;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`;
}
