// What the forms of shared keys have in common: the key of a form that makes something, where a request came from, and the question before an
// end.

import { z } from 'zod';
import type { Origin } from '../../control/keys/note-share.ts';
import { type Html, html } from '../look/html.ts';
import { buttonForm, note } from '../portal/fields.ts';
import type { PageAnswer, PersonVisit, Visit } from '../serve/page-route.ts';

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

interface Question {
  readonly title: string;
  readonly loss: Html | string;
  /** Path of the navigation entry. */
  readonly section: string;
  /** Behind the reserved prefix, as `back` is. */
  readonly action: string;
  readonly back: string;
  readonly yes: string;
  readonly no: string;
}

/** A page that asks once before something ends. */
export function question(visit: PersonVisit, { title, loss, section, action, back, yes, no }: Question): PageAnswer {
  const { prefix } = visit;
  return visit.page({
    title,
    section,
    width: 'narrow',
    body: html`${note('plain', loss)}
${buttonForm({ action: `${prefix}${action}`, formToken: visit.formToken(), text: yes, kind: 'bad' })}
<p class="after"><a class="button plain" href="${prefix}${back}">${no}</a></p>`,
  });
}
