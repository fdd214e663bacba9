// Checks what links and keys say of the place that they open: its path, its methods, and what it is called. Writes nothing.

import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { maxLabelLength } from '../../core/model/link.ts';
import { canonicalText, comparedForm, covers } from '../../core/model/path.ts';

/**
 * The canonical path that a link or a key may open. A text that does not begin with a slash is the name of a file or a folder in the
 * collection, as it is read on a screen: `film.mp4`. @returns null for a path outside of the collection, or that means something else to a
 * cookie's Path (`;`, `,`) or to a token's pattern (`*`) than it does here.
 */
export function placePath(collection: CollectionConfig, given: string | null): string | null {
  if (given === null || given === '') return collection.path;
  const path = canonicalText(given.startsWith('/') ? given : `${collection.path}${encodedName(given)}`, 0);
  if (path === null || path.length > 2000 || /[*;,]/.test(path) || !covers(collection.path, path)) return null;
  // Rows are found by equality, so each character has one spelling in a stored path, except for three characters that have a meaning when they are not encoded.
  const compared = comparedForm(path);
  return /[*;,]/.test(compared) ? path : compared;
}

/** A name as it is read, for a path: what has another meaning in a URL is encoded. An escape that was copied from a URL stays one. */
function encodedName(name: string): string {
  return name.replace(/%(?![0-9A-Fa-f]{2})|[\s?#"<>\\^`{|}]/g, (character) => encodeURIComponent(character));
}

/** A label as one line without control and direction characters; null when the label is empty or too long. */
export function placeLabel(given: string): string | null {
  const label = given.trim().normalize('NFC');
  if (label === '' || [...label].length > maxLabelLength || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(label))
    return null;
  return label;
}

/** @returns the list as it is stored; null for all methods; undefined for a bad list */
export function placeMethods(given: readonly string[] | null): string | null | undefined {
  if (given === null) return null;
  const methods = [...new Set(given)];
  if (!methods.includes('GET') || methods.length > 16) return undefined;
  return methods.every((method) => /^[A-Z][A-Z-]{0,31}$/.test(method)) ? JSON.stringify(methods) : undefined;
}
