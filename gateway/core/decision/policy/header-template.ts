// Values that a route gives to headers of requests: text with `{placeholders}`, and `{{` and `}}` for the braces themselves.
// Pure text work, done when a configuration is loaded. A value whose placeholder has nothing to say is no value at all.

import type { TokenClaims } from '../../token/claims.ts';

/** What may stand between braces. */
export const placeholders = [
  'host',
  'scheme',
  'client_address',
  'request_id',
  'route',
  'sub',
  'email',
  'name',
  'groups',
  'preferred_username',
] as const;

export type Placeholder = (typeof placeholders)[number];

type ClaimPlaceholder = 'sub' | 'email' | 'name' | 'groups' | 'preferred_username';

/** A header and its value, not filled in yet. */
export interface TemplatedHeader {
  readonly name: string;
  readonly parts: readonly TemplatePart[];
}

/** Text as latin1 characters, one a byte; or a placeholder. */
export type TemplatePart = { readonly text: string } | { readonly placeholder: Placeholder };

export type ParsedTemplate =
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] }
  /** A placeholder that is none. */
  | { readonly kind: 'unknown'; readonly name: string }
  /** A brace that opens or closes nothing. */
  | { readonly kind: 'brace' };

const pieces = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

/** @param value  without control characters */
export function parseTemplate(value: string): ParsedTemplate {
  const parts: TemplatePart[] = [];
  let text = '';
  for (const [piece, name] of value.matchAll(pieces)) {
    if (piece === '{' || piece === '}') return { kind: 'brace' };
    if (name === undefined) {
      text += piece === '{{' ? '{' : piece === '}}' ? '}' : piece;
      continue;
    }
    const placeholder = placeholders.find((known) => known === name);
    if (placeholder === undefined) return { kind: 'unknown', name };
    if (text !== '') parts.push({ text });
    text = '';
    parts.push({ placeholder });
  }
  if (text !== '') parts.push({ text });
  return { kind: 'template', parts };
}

/** Which kinds of placeholders a value has. */
export function needsOf(parts: readonly TemplatePart[]): { readonly claims: boolean; readonly request: boolean } {
  let claims = false;
  let request = false;
  for (const part of parts) {
    if (!('placeholder' in part)) continue;
    if (isClaim(part.placeholder)) claims = true;
    else request = true;
  }
  return { claims, request };
}

/**
 * The value with its placeholders filled in.
 *
 * @param textOf  text of a placeholder; undefined or empty when there is none
 * @returns latin1 characters, one a byte; null when a placeholder has nothing to say, or something that fits no header
 */
export function fillTemplate(
  parts: readonly TemplatePart[],
  textOf: (placeholder: Placeholder) => string | undefined,
): string | null {
  let filled = '';
  for (const part of parts) {
    if ('text' in part) {
      filled += part.text;
      continue;
    }
    const value = textOf(part.placeholder);
    if (value === undefined || value === '') return null;
    const sendable = utf8AsLatin1(value);
    if (sendable === null) return null;
    filled += sendable;
  }
  return filled;
}

/** The same with nothing but what claims say. */
export function fillFromClaims(parts: readonly TemplatePart[], claims: TokenClaims): string | null {
  return fillTemplate(parts, (placeholder) => (isClaim(placeholder) ? claimText(claims, placeholder) : undefined));
}

/** What a claim says in a header; undefined when it says nothing. */
export function claimText(claims: TokenClaims | null, claim: ClaimPlaceholder): string | undefined {
  const value = claims?.[claim];
  return typeof value === 'object' ? value.join(',') : value;
}

/**
 * A head is written as latin1, one character a byte, so that UTF-8 goes through it unharmed. ASCII is its own UTF-8.
 *
 * @returns null for a text with a control character, which no header may carry
 */
export function utf8AsLatin1(text: string): string | null {
  let isAscii = true;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return null;
    if (code > 0x7f) isAscii = false;
  }
  return isAscii ? text : Buffer.from(text, 'utf8').toString('latin1');
}

function isClaim(placeholder: Placeholder): placeholder is ClaimPlaceholder {
  switch (placeholder) {
    case 'sub':
    case 'email':
    case 'name':
    case 'groups':
    case 'preferred_username':
      return true;
    case 'host':
    case 'scheme':
    case 'client_address':
    case 'request_id':
    case 'route':
      return false;
    default:
      return placeholder satisfies never;
  }
}
