// Compares the expectation of a row with the result. Pure: the same two values always give the same complaints.

import { forwardedHead } from '../support/peers/forwarded-head.ts';
import type { Message } from './message.ts';
import type { Forwarded, RequestRow } from './row.ts';
import type { Observed } from './run-row.ts';

/** @returns what is wrong, in words; empty when the row holds */
export function judge(row: RequestRow, observed: Observed): string[] {
  return [
    ...observed.trouble,
    ...judgeAnswers(row, observed),
    ...(observed.end === row.after ? [] : [`the connection is ${observed.end} instead of ${row.after}`]),
    ...(observed.behind === '' ? [] : [`bytes behind the answer: ${shown(observed.behind)}`]),
    ...judgeUpstream(row, observed),
  ];
}

/** Printable, and not longer than a screen. */
export function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length <= 700 ? quoted : `${quoted.slice(0, 500)} … ${quoted.length} characters in all`;
}

/** The message that went to the upstream, with the request id's value replaced by `ID`. */
export function withoutId(raw: Buffer): string {
  return raw.toString('latin1').replace(/(\r\nX-Request-Id: )[^\r]+/, '$1ID');
}

/** The one form in which the upstream has to see a request. */
function canonicalText(expected: Forwarded): string {
  return forwardedHead(expected.line, expected) + (expected.body ?? '');
}

function judgeAnswers(row: RequestRow, { answers, interim }: Observed): string[] {
  const problems: string[] = [];
  const got = answers.map(({ status }) => status);
  const isExpected =
    got.length === row.answers.length &&
    row.answers.every((wanted, index) => [wanted].flat().includes(got[index] ?? 0));
  if (!isExpected) problems.push(`answers ${JSON.stringify(row.answers)} expected, got ${JSON.stringify(got)}`);
  const invited = interim.map(({ status }) => status);
  if (JSON.stringify(invited) !== JSON.stringify(row.interim ?? [])) {
    problems.push(`interim answers ${JSON.stringify(row.interim ?? [])} expected, got ${JSON.stringify(invited)}`);
  }
  const last = answers.at(-1);
  if (row.after === 'closed' && last !== undefined && last.all('connection').at(-1) !== 'close') {
    problems.push('the last answer does not say Connection: close');
  }
  const text = answers.map((answer) => `${answer.head}\r\n\r\n${answer.body.toString('latin1')}`).join('\r\n');
  if (row.contains !== undefined && !row.contains.test(text)) problems.push(`no ${row.contains} in ${shown(text)}`);
  if (row.lacks?.test(text)) problems.push(`${row.lacks} in ${shown(text)}`);
  return problems;
}

function judgeUpstream(row: RequestRow, observed: Observed): string[] {
  const problems: string[] = [];
  const { upstream, pieces } = observed;
  for (const piece of pieces) {
    const text = shown(piece.rest.toString('latin1'));
    if (row.upstream !== 'nothing-complete') problems.push(`the upstream got a piece: ${text}`);
    else if (!piece.isGone) problems.push(`the upstream still waits behind ${text}`);
    if (piece.broken !== null) problems.push(`the upstream got what is no canonical request, ${piece.broken}: ${text}`);
  }
  if (typeof row.upstream === 'string') {
    for (const message of upstream) problems.push(`the upstream got ${shown(message.raw.toString('latin1'))}`);
    return problems;
  }
  if (upstream.length !== row.upstream.length) {
    problems.push(`the upstream got ${upstream.length} requests instead of ${row.upstream.length}`);
  }
  row.upstream.forEach((expected, index) => {
    const message = upstream[index];
    if (message === undefined) return;
    const seen = withoutId(message.raw);
    const holds = expected instanceof RegExp ? expected.test(seen) : canonicalText(expected) === seen;
    const wanted = expected instanceof RegExp ? String(expected) : shown(canonicalText(expected));
    if (!holds) problems.push(`the upstream got\n    ${shown(seen)}\n  instead of\n    ${wanted}`);
    problems.push(...judgeOwnAnswer(message, observed, index));
  });
  return problems;
}

/** The upstream answers with the target that it was asked for, so each answer shows whose it is. */
function judgeOwnAnswer(message: Message, { answers }: Observed, index: number): string[] {
  const answer = answers.filter(({ status }) => status === 200)[index];
  if (answer === undefined || message.method === 'HEAD') return [];
  if (answer.text === message.target) return [];
  return [`answer ${index + 1} is ${shown(answer.text)}, which is not the answer to ${message.target}`];
}
