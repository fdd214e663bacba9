// Shapes of the texts that pages and `v1` take, each with its greatest length in characters. The use case judges whether a text is good,
// and says so in fitting words; a shape only keeps out texts that are longer than anybody types. Limits in `meta` are those of the use
// case: the OpenAPI document names them, and the shape lets more through to it.

import { z } from 'zod';
import { maxNameCharacters, maxPasswordBytes, minPasswordCharacters } from '../../core/model/account.ts';
import { maxAddressLength } from '../../core/model/mail-address.ts';
import { latestMoment } from '../../core/model/time.ts';

/** Id of an account, a session, a link and so on, see core/model/node-id.ts. */
export const id = z.string().max(60);
/** A mail address. */
export const address = z.string().max(1000).meta({ maxLength: maxAddressLength, format: 'email' });
/** Name of a person or a device. */
export const personName = z.string().max(1000).meta({ maxLength: maxNameCharacters });
/** A password. */
export const secret = z.string().max(4096).meta({ maxLength: maxPasswordBytes });
/** A password that is chosen now. */
export const newSecret = secret.meta({
  minLength: minPasswordCharacters,
  maxLength: maxPasswordBytes,
  description: `a password of at least ${minPasswordCharacters} characters that is not among those that everybody tries`,
});
/** One-time code of an invitation, a sign-in link, a mail or a hand-over. */
export const code = z.string().max(200).describe('as it stands in the mail’s link');
/** Name of a collection, as in the configuration. */
export const collectionName = z.string().max(200);

const wantsMoment =
  'wants seconds since 1970, or a moment with its offset such as "2026-12-24T18:00:00+01:00" or "2026-12-24T17:00:00Z"';
const tooLate = 'wants seconds since 1970, and this is later than the year 3000 (hint: it looks like milliseconds)';
const seconds = z.int(wantsMoment).min(0, wantsMoment).max(latestMoment, tooLate);

/**
 * A moment that a caller says: epoch seconds, or a text of RFC 3339 with its offset, whose fraction of a second is dropped. A text without
 * an offset is refused, since nobody can know which clock it means.
 */
export const moment = z
  .union(
    [
      seconds,
      z.iso
        .datetime({ offset: true })
        .transform((text) => Math.floor(Date.parse(text) / 1000))
        .pipe(seconds),
    ],
    wantsMoment,
  )
  .meta({ description: 'seconds since 1970, or a moment of RFC 3339 with its offset' });
