// Turns a refusal of the operator's endpoints into the command's error. The endpoints speak to programs, by a reason, and to
// people of the portal, by a sentence; a command puts its own words in place of a reason, with what to type next.

import { z } from 'zod';
import { CommandError } from './command-error.ts';

/** By reason: message and hint; a message left out is the endpoint's sentence. */
export type RefusalWords = Readonly<Record<string, { readonly message?: string; readonly hint?: string }>>;

const problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  reason: z.string().optional(),
});

/** @param content  the answer's body, parsed; problem+json (RFC 9457), or anything */
export function refusalFrom(status: number, content: unknown, words: RefusalWords): CommandError {
  const read = problem.safeParse(content);
  const { title, detail, reason = '' } = read.success ? read.data : {};
  const { message, hint } = { ...shared[reason], ...words[reason] };
  const said = message ?? (detail === undefined || detail === '' ? title : asMessage(detail));
  const [, text = '', ownHint] = /^(.*?)(?: \(hint: (.*)\))?$/s.exec(said ?? `the gateway answered ${status}`) ?? [];
  return new CommandError(text, { hint: hint ?? ownHint ?? (status === 503 ? 'try again in a moment' : undefined) });
}

const shared: RefusalWords = {
  busy: { message: 'too much is going on right now', hint: 'try again in a moment' },
};

/** A sentence of the API as a line of the command line: lower case, no full stop. */
function asMessage(detail: string): string {
  const plain = detail.endsWith('.') ? detail.slice(0, -1) : detail;
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}
