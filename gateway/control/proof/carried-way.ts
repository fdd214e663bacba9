// What a mailed code carries, sealed to its row: the address that it was mailed to, and what its reader was about to open. So a person who reads
// the mail in another browser, such as a mail app's own, goes on to the same link. A store that is stolen gives neither link nor address away.

import { z } from 'zod';
import type { ControlContext } from '../context/control-context.ts';

const wayShape = z.object({
  /** Host of the page, canonical. NOT checked against the configuration in force. */
  host: z.string().max(260),
  /** Path and query on that host; checked by return-address.ts when it was carried. */
  returnPath: z.string().max(2000),
  /** The link that was presented there: id of the link key, and authorization token. null without a link. */
  link: z.object({ key: z.string().max(200), token: z.string().max(200) }).nullable(),
  /** What the page says of the link. */
  about: z.object({ label: z.string().max(1000), owner: z.string().max(320).nullable() }).nullable(),
});

/** Where somebody was going when a code was mailed to them. */
export type CarriedWay = z.infer<typeof wayShape>;

const carriedShape = z.object({
  /** The address that the code was mailed to, normalised. */
  email: z.string().max(320),
  way: wayShape.nullable(),
  /** Whether the reader of the mail may get an account, for an address that has none. */
  mayJoin: z.boolean(),
});

type Carried = z.infer<typeof carriedShape>;

/** @param selector  of the code */
export function sealCarried(context: Pick<ControlContext, 'sealing'>, selector: string, carried: Carried): string {
  return context.sealing.seal(placeOf(selector), JSON.stringify(carried));
}

/** @returns null for a code that carries nothing @throws SealBroken */
export function openCarried(
  context: Pick<ControlContext, 'sealing'>,
  selector: string,
  sealed: string | null,
): Carried | null {
  if (sealed === null) return null;
  return carriedShape.parse(JSON.parse(context.sealing.openText(placeOf(selector), sealed)));
}

function placeOf(selector: string) {
  return { table: 'one_time_codes', row: selector, column: 'carried_sealed' } as const;
}
