// Counts things in windows of the log's own time: a few an hour, hour after hour, never add up, and no clock that is set begins a new
// one. Several bounds are asked before one is raised, so what one of them stops costs nothing of the others. Counts are rows of the
// throttles table, shared by all nodes.

import { digestOf } from '../../core/model/digest.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { noRoomSeconds, readCounts, type ThrottleKey, writeCounts } from '../../store/rows/throttles.ts';

/** So many of one subject in a window. */
export interface WindowBound<Kind extends string = string> {
  readonly kind: Kind;
  /** Whose or what; a digest of it is kept. */
  readonly subject: string;
  readonly most: number;
  readonly windowSeconds: number;
}

type WindowCounted<Kind extends string = string> =
  /** `keys`: of the rows that were raised, to take it back. */
  | { readonly kind: 'allowed'; readonly keys: readonly ThrottleKey[] }
  /** Nothing was counted. `bound`: which of them; null when the table has no room. */
  | { readonly kind: 'blocked'; readonly bound: Kind | null; readonly until: EpochSeconds };

/** Counts one thing under all bounds, if none of them is reached. */
export async function countWindows<Kind extends string>(
  unit: Unit,
  bounds: readonly WindowBound<Kind>[],
): Promise<WindowCounted<Kind>> {
  const places = bounds.map((bound) => placeOf(bound, unit.logTime));
  const counts = await readCounts(
    unit.sql,
    places.map(({ key }) => key),
  );
  for (const [at, { kind, most }] of bounds.entries()) {
    const [place, tries] = [places[at], counts[at]?.tries ?? 0];
    if (tries >= most && place !== undefined) return { kind: 'blocked', bound: kind, until: place.endsAt };
  }
  const raised = places.map(({ key, endsAt, most }, at) => {
    const count = counts[at] ?? null;
    const tries = (count?.tries ?? 0) + 1;
    const blockedUntilAt = tries >= most ? endsAt : unit.logTime;
    return {
      key,
      count: { tries, leakedAt: count?.leakedAt ?? unit.logTime, lastAt: unit.logTime, blockedUntilAt },
      isNew: count === null,
    };
  });
  if (await writeCounts(unit, raised)) return { kind: 'allowed', keys: places.map(({ key }) => key) };
  return { kind: 'blocked', bound: null, until: unit.logTime + noRoomSeconds };
}

function placeOf({ kind, subject, most, windowSeconds }: WindowBound, now: EpochSeconds) {
  const window = Math.floor(now / windowSeconds);
  const text = JSON.stringify([kind, subject, window]);
  const keyDigest = digestOf(text);
  return { key: { kind, keyDigest }, endsAt: (window + 1) * windowSeconds, most };
}
