// Values that a route sets in request headers: text with `{placeholders}`, and `{{` and `}}` for the braces themselves.
// Pure text work. Templates are parsed when a configuration is loaded. A header with a placeholder that has no value is not sent.

import type { TokenClaims } from '../../token/claims.ts';
import { preferredUsername } from './user-name.ts';

/** The names that may stand between braces. */
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

/** A header and its template. */
export interface TemplatedHeader {
  readonly name: string;
  readonly parts: readonly TemplatePart[];
}

/** A piece of a template: text in latin1 characters, one a byte; or a placeholder. */
export type TemplatePart = { readonly text: string } | { readonly placeholder: Placeholder };

export type ParsedTemplate =
  | { readonly kind: 'template'; readonly parts: readonly TemplatePart[] }
  /** The template has a placeholder of an unknown name. */
  | { readonly kind: 'unknown'; readonly name: string }
  /** The template has a brace without its partner. */
  | { readonly kind: 'brace' };

const pieces = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;

/** @param value  the text of a template, without control characters */
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
 * Fills in the placeholders of a template.
 *
 * @param textOf  gives the text of a placeholder; undefined or empty when it has none
 * @returns latin1 characters, one a byte; null when a placeholder has no text, or text that no header can carry
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

/** `fillTemplate` for a template whose placeholders are all claims. */
export function fillFromClaims(parts: readonly TemplatePart[], claims: TokenClaims): string | null {
  return fillTemplate(parts, (placeholder) => (isClaim(placeholder) ? claimText(claims, placeholder) : undefined));
}

/** The text of a claim in a header; undefined when the token has no such claim. */
export function claimText(claims: TokenClaims | null, claim: ClaimPlaceholder): string | undefined {
  if (claims === null) return undefined;
  const value = claim === 'preferred_username' ? preferredUsername(claims) : claims[claim];
  return typeof value === 'object' ? value.join(',') : value;
}

/**
 * The UTF-8 bytes of a text as latin1 characters. A head is written as latin1, one character a byte, so the bytes stay as they are.
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
