// Small facts that travel through the browser and come back unread and unchanged: flow cookies, hand-over requests, form tokens.
// AES-GCM under the master key, so every node of a fleet opens what another sealed; each use has a place of its own, so none of
// them can stand for another. Each carries its own end. What is opened is still checked for its shape.

import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';

/** `use` says what for; `binding` whom it belongs to, like a host or a session. */
interface SealedUse {
  readonly use: 'flow' | 'handover' | 'form' | 'claim';
  readonly binding: string;
}

const envelope = z.object({ until: z.int(), value: z.unknown() });

// a cookie or an address longer than this is refused before any work is done on it
const maxSealedLength = 4096;

/** @param value  plain JSON data */
export function sealText(
  context: Pick<ControlContext, 'sealing' | 'clock'>,
  { use, binding }: SealedUse,
  value: unknown,
  lifeSeconds: number,
): string {
  const until = context.clock.epochSeconds() + lifeSeconds;
  return context.sealing.seal(placeOf(use, binding), JSON.stringify({ until, value }));
}

/** @returns what was sealed; null when it is not ours, for another use or binding, over its time, or of another shape */
export function openText<T>(
  context: Pick<ControlContext, 'sealing' | 'clock'>,
  { use, binding }: SealedUse,
  sealed: string | null | undefined,
  shape: z.ZodType<T>,
): T | null {
  if (typeof sealed !== 'string' || sealed.length === 0 || sealed.length > maxSealedLength) return null;
  let plain: unknown;
  try {
    plain = JSON.parse(context.sealing.openText(placeOf(use, binding), sealed));
  } catch {
    // not ours, or changed on the way: the same as absent
    return null;
  }
  const opened = envelope.safeParse(plain);
  if (!opened.success || opened.data.until <= context.clock.epochSeconds()) return null;
  const value = shape.safeParse(opened.data.value);
  return value.success ? value.data : null;
}

function placeOf(use: SealedUse['use'], binding: string): { table: string; row: string; column: string } {
  return { table: 'browser', row: binding, column: use };
}
