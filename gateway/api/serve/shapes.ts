// What people and programs may send, on pages and over `v1` alike: texts with the longest length that is looked at. Whether a text
// will do is for the use case to say, in words that fit; a shape only keeps out what nobody types.

import { z } from 'zod';

/** Of an account, a session, a link…: see core/model/node-id.ts. */
export const id = z.string().max(60);
/** A mail address. */
export const address = z.string().max(1000);
/** A person's or a device's name. */
export const personName = z.string().max(1000);
export const secret = z.string().max(4096);
/** Of an invitation, a sign-in link, a mail. */
export const code = z.string().max(200).describe('as it stands in the mail’s link');
/** As the configuration has it. */
export const collectionName = z.string().max(200);
