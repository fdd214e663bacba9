// Shapes of the texts that pages and `v1` take, each with its greatest length in characters. The use case judges whether a text is good,
// and says so in fitting words; a shape only keeps out texts that are longer than anybody types.

import { z } from 'zod';

/** Id of an account, a session, a link and so on, see core/model/node-id.ts. */
export const id = z.string().max(60);
/** A mail address. */
export const address = z.string().max(1000);
/** Name of a person or a device. */
export const personName = z.string().max(1000);
/** A password. */
export const secret = z.string().max(4096);
/** One-time code of an invitation, a sign-in link, a mail or a hand-over. */
export const code = z.string().max(200).describe('as it stands in the mail’s link');
/** Name of a collection, as in the configuration. */
export const collectionName = z.string().max(200);
