// An order for the ceilings of sessions and devices: rows that were used on more than one day come before rows that were not.

import { sql as raw } from 'kysely';

/** 0: used again a day or more after it was made; 1: not. */
export const usedForDays = raw<number>`case when last_seen_at - created_at >= 86400 then 0 else 1 end`;
