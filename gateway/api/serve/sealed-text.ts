// Seals small values that travel through the browser, which can neither read nor change them: flow cookies, hand-over requests, form
// tokens, consents to a claim. AES-GCM under the master key, so every node of a fleet opens what another node sealed. The seal is bound to
// its use, so a value that was sealed for one use does not open for another. Each value carries its end; its shape is checked on opening.

import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';

/** `use`: what the value is for. `binding`: the host, session or browser that it belongs to. A value opens only with the same pair. */
interface SealedUse {
  readonly use: 'flow' | 'handover' | 'form' | 'claim' | 'link-address' | 'share-result' | 'carried-key';
  readonly binding: string;
}

const envelope = z.object({ until: z.int(), value: z.unknown() });

// in characters; a longer cookie or parameter is refused before it is decoded
const maxSealedLength = 4096;

/**
 * Seals a value.
 *
 * @param value        plain JSON data
 * @param lifeSeconds  for how long `openText` opens it
 * @returns text that may stand in a cookie or an address
 */
export function sealText(
  context: Pick<ControlContext, 'sealing' | 'clock'>,
  { use, binding }: SealedUse,
  value: unknown,
  lifeSeconds: number,
): string {
  const until = context.clock.epochSeconds() + lifeSeconds;
  return context.sealing.seal(placeOf(use, binding), JSON.stringify({ until, value }));
}

/** @returns the sealed value; null when the text was not sealed here, is for another use or binding, has expired or has another shape */
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
