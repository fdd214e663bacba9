// What the forms of shared keys have in common: the key of a form that makes something, and where a request came from.

import { z } from 'zod';
import type { Origin } from '../../control/keys/note-share.ts';
import type { Visit } from '../serve/page-route.ts';

/** The key of one form, made with the page that shows it: what the form makes is made once, however often it is sent. */
export const formKey = z
  .string()
  .max(40)
  .regex(/^[\w-]*$/);

export function newFormKey({ context }: Pick<Visit, 'context'>): string {
  return context.random(16).toString('base64url');
}

/** Where a request came from, as the audit log notes it. */
export function originOf({ origin }: Pick<Visit, 'origin'>): Origin {
  return { requestId: origin.requestId || null, clientAddress: origin.clientAddress };
}
