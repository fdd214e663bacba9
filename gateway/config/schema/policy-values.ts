// Single values of a route's policy: names and values of headers, origins, methods, rates.
// A value that reaches a header is checked here for good: nothing behind this point looks for line ends again.
// Rules: RFC 9110 §5.1 and §5.5, RFC 6454 §6.2, RFC 9110 §9.1 (methods are case-sensitive).

import { isIPv4, isIPv6 } from 'node:net';
import { parseTemplate, placeholders } from '../../core/decision/policy/header-template.ts';
import { keptNameProblem, requestNameProblem } from '../../core/decision/policy/request-policy.ts';
import { responseNameProblem } from '../../core/decision/policy/response-policy.ts';
import { suggestionHint } from '../problems/suggest.ts';
import { read, wrong } from './values.ts';

const maxValueLength = 4096;

/** A token of RFC 9110 §5.6.2, but without `*`: an operator who writes `*` means every header, which is not supported. */
const headerNameForm = /^[!#$%&'+\-.^_`|~0-9A-Za-z]{1,64}$/;
const headerNameHint = 'letters, digits, hyphens and signs like _ and ., at most 64 of them';

/** A response header that a route may set or remove. */
export const responseHeaderName = read('a header name', undefined, (text) => {
  const shown = JSON.stringify(text);
  if (!headerNameForm.test(text)) return wrong(`${shown} is not a header name`, headerNameHint);
  const problem = responseNameProblem(text);
  return problem === null ? { kind: 'read', value: text } : wrong(problem, 'leave it out');
});

/** The value of a response header: printable ASCII, so that no line can end in it. */
export const headerValue = read('the text of a header', undefined, (text) => {
  const value = lineOf(text);
  return typeof value === 'string' ? { kind: 'read', value } : value;
});

function lineOf(text: string): string | ReturnType<typeof wrong> {
  if (text.trim() === '') return wrong('is empty', 'to take a header away, name it under remove');
  if (text.length > maxValueLength) return wrong(`is longer than ${maxValueLength} characters`);
  if (/[^\t\x20-\x7e]/.test(text)) {
    return wrong('holds a line end, another control character, or something beyond ASCII', 'write one line of ASCII');
  }
  return text.trim();
}

/** A request header that a route may set. */
export const setHeaderName = requestHeaderName((name) => requestNameProblem(name, 'set'));

/** A request header that a route may remove. */
export const removedHeaderName = requestHeaderName((name) => requestNameProblem(name, 'remove'));

/** A request header that is removed by default, and that a route may accept from trusted proxies. */
export const keptHeaderName = requestHeaderName(keptNameProblem);

function requestHeaderName(problemOf: (name: string) => readonly [text: string, hint: string] | null) {
  return read('a header name', undefined, (text) => {
    if (!headerNameForm.test(text)) return wrong(`${JSON.stringify(text)} is not a header name`, headerNameHint);
    const problem = problemOf(text);
    return problem === null ? { kind: 'read', value: text } : wrong(...problem);
  });
}

/** The value of a request header: printable ASCII with `{placeholders}`. */
export const headerTemplate = read('the text of a header', undefined, (text) => {
  const value = lineOf(text);
  if (typeof value !== 'string') return value;
  const parsed = parseTemplate(value);
  switch (parsed.kind) {
    case 'template':
      return { kind: 'read', value };
    case 'unknown':
      return wrong(`unknown placeholder {${parsed.name}}`, suggestionHint(parsed.name, placeholders));
    case 'brace':
      return wrong('has a brace that opens or closes nothing', 'write {{ and }} for the characters themselves');
    default:
      return parsed satisfies never;
  }
});

/** A request or response header that a browser is told about. */
export const corsHeaderName = read('a header name', undefined, (text) =>
  headerNameForm.test(text)
    ? { kind: 'read', value: text }
    : wrong(`${JSON.stringify(text)} is not a header name`, 'name each header; there is no wildcard'),
);

/** A method name. */
export const corsMethod = read('a method, like GET', undefined, (text) =>
  /^[A-Z]{1,32}$/.test(text)
    ? { kind: 'read', value: text }
    : wrong(`${JSON.stringify(text)} is not a method`, `write it in upper case: ${text.toUpperCase()}`),
);

/** The name of the header in which a proxy says the client's address; as written. */
export const addressHeaderName = read('a header name, like CF-Connecting-IP', undefined, (text) => {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) {
    return wrong(`${JSON.stringify(text)} is not a header name`, 'letters, digits and hyphens');
  }
  if (!addressWords.test(text) || /^(x-forwarded|x-latchkey|latchkey|remote)-/i.test(text)) {
    return wrong(
      `header "${text}" does not carry one client address`,
      'write CF-Connecting-IP, True-Client-IP, Fastly-Client-IP or X-Real-IP; X-Forwarded-For is read without this setting',
    );
  }
  return { kind: 'read', value: text };
});

/** Every header of this kind has one of these words, and no header of another meaning is taken away by mistake. */
const addressWords = /(^|-)(ip|addr|address)(-|$)/i;

/** An origin, `https://*.example.org` for all names below, or `*`. */
export const corsOrigin = read('an origin, like https://app.example.org', undefined, (text) => {
  if (text === '*') return { kind: 'read', value: text };
  const shown = JSON.stringify(text);
  const hint = 'write https://app.example.org, https://*.example.org, or *';
  if (text === 'null') return wrong('"null" is the origin of anything that hides its own', 'name the origin itself');
  const match =
    /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?(\[[0-9a-f:]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([1-9]\d{0,4}))?$/.exec(
      text.toLowerCase(),
    );
  if (match === null) {
    return wrong(`${shown} is not an origin`, /^[a-z]+:\/\/[^/]+\/./i.test(text) ? 'drop the path' : hint);
  }
  const [, scheme = '', wildcard = '', host = '', port] = match;
  if (Number(port ?? 1) > 65_535) return wrong(`port ${port} is above 65535`);
  if (host.startsWith('[') && !isIPv6(host.slice(1, -1))) return wrong(`${shown} is not an origin`, hint);
  if (wildcard !== '' && (host.startsWith('[') || isIPv4(host) || !host.includes('.'))) {
    return wrong(`${shown} would match more than one site's names`, hint);
  }
  // browsers leave the default port out, so an origin with it would never match
  const isDefault = (scheme === 'https' && port === '443') || (scheme === 'http' && port === '80');
  return { kind: 'read', value: `${scheme}://${wildcard}${host}${port === undefined || isDefault ? '' : `:${port}`}` };
});

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** `10/s`, `100/m`, `1000/h`. */
export const rate = read('a rate like 10/s, 100/m or 1000/h', '^([1-9]\\d{0,6}/[smh]|.*\\$\\{.+)$', (text) => {
  const match = /^([1-9]\d{0,6})\/([smh])$/.exec(text);
  if (match === null) return wrong(`${JSON.stringify(text)} is not a rate`, 'write 10/s, 100/m or 1000/h');
  return { kind: 'read', value: { count: Number(match[1]), perSeconds: unitSeconds[match[2] ?? ''] ?? 1 } };
});
