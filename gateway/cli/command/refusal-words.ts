// Turns a refusal of the operator's endpoints into the command's error. An endpoint gives a reason for programs and a sentence for users of
// the portal; a command replaces them by its own words for that reason, with a hint of what to type next.

import { z } from 'zod';
import { CommandError } from './command-error.ts';

/** Messages and hints by the endpoint's reason. Without a message the endpoint's sentence is used. */
export type RefusalWords = Readonly<Record<string, { readonly message?: string; readonly hint?: string }>>;

const problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  reason: z.string().optional(),
});

/** The error for a refusal. @param content  the answer's parsed body: problem+json (RFC 9457), or anything else. NOT checked */
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
