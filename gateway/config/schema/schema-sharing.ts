// The shape of `sharing`: whom people may share keys with, how far shares go on, how long everything lasts, and how many messages go out.
// One value at a time; check/references-control.ts compares them with the other sections.

import { z } from 'zod';
import { rate } from './policy-values.ts';
import { durationSeconds, wordOf } from './values.ts';

/** The most generations that may hang below a share: deeper chains make tokens with more nodes than a token may carry. */
const deepest = 6;

const sharing = z.strictObject({
  invite: wordOf('choice', ['anyone', 'domains', 'known']).optional().meta({
    description:
      'whom a key may be shared with: every address, those of accounts.domains, or those that have an account; default known where registration is invited, else anyone',
  }),
  reshare_depth: z
    .number()
    .int()
    .min(0)
    .max(deepest)
    .prefault(0)
    .meta({ description: 'the most that a share may allow: how often a received key can be shared on, 0 to 6' }),
  expires: durationSeconds('1h', '365d')
    .prefault('30d')
    .meta({ description: 'how long an offered key can be accepted' }),
  request_window: durationSeconds('1m', '1h')
    .prefault('15m')
    .meta({ description: 'how long a browser that asked for a key has to authenticate' }),
  resend: durationSeconds('1s', '1d')
    .prefault('1m')
    .meta({ description: 'how long to wait before the message of a share can be sent again' }),
  per_sender: rate.prefault('50/h').meta({ description: 'shares that one account may offer' }),
  per_address: rate.prefault('10/h').meta({ description: 'messages about shares to one address; more are sent later' }),
});

/** `sharing`. Every member may be left out; the default of `invite` follows `accounts.registration`, see assemble-control.ts. */
export const sharingSchema = sharing
  .optional()
  .meta({ description: 'how people share keys with each other; needs portal and mail' });

/** What holds where a file says nothing of sharing. The schema leaves the section out then, so that a check can tell a written section from none. */
export const sharingDefaults: z.output<typeof sharing> = sharing.parse({});
