// The type of a message that a zod schema describes: as the schema infers it, and read-only all through.
// Types only. zod infers members that may be written; a message that crossed between processes is never changed.

import type { z } from 'zod';
import type { Config } from '../config/compiled/config.ts';

/** What stays as it is: single values, bytes, and the configuration, which is read-only already. */
type Opaque = string | number | boolean | null | undefined | Uint8Array | Config;

type ReadOnly<T> = T extends Opaque
  ? T
  : T extends readonly (infer Item)[]
    ? readonly ReadOnly<Item>[]
    : T extends object
      ? { readonly [Member in keyof T]: ReadOnly<T[Member]> }
      : T;

/** The message that this schema parses to. */
export type Shape<Schema extends z.ZodType> = ReadOnly<z.infer<Schema>>;
