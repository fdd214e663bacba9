// Checks what is said of a credential: its name, its issuer, its picture and when it is valid. Writes nothing.

import { Buffer } from 'node:buffer';
import { type EpochSeconds, latestMoment } from '../../core/model/time.ts';

/** Largest picture of a credential, in bytes. */
export const maxPictureBytes = 64 * 1024;

/** What pictures may be, and how their bytes begin: what a browser is told has to be what it gets. */
const pictureForms: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  'image/png': (bytes) => bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])),
  'image/jpeg': (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  'image/webp': (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
};

/** Whether a text is a `data:` URL of a PNG, JPEG or WebP picture of at most `maxPictureBytes`, in the one canonical form of base64. */
export function isPicture(text: string): boolean {
  const [, type = '', encoded = ''] = /^data:(image\/[a-z]{3,4});base64,([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (encoded.length > Math.ceil(maxPictureBytes / 3) * 4) return false;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.byteLength > maxPictureBytes || bytes.toString('base64') !== encoded) return false;
  return pictureForms[type]?.(bytes) ?? false;
}

/** A picture as a `data:` URL; null where the bytes are no PNG, JPEG or WebP, or too many. */
export function pictureUrl(bytes: Buffer): string | null {
  if (bytes.byteLength > maxPictureBytes) return null;
  const type = Object.keys(pictureForms).find((form) => pictureForms[form]?.(bytes));
  return type === undefined ? null : `data:${type};base64,${bytes.toString('base64')}`;
}

/** Whether the times are moments, in order, and the end is still to come. Null: no limit. */
export function validityIsSound(from: EpochSeconds | null, until: EpochSeconds | null, now: EpochSeconds): boolean {
  for (const at of [from, until]) {
    if (at !== null && (!Number.isInteger(at) || at < 0 || at > latestMoment)) return false;
  }
  return until === null || (until > now && (from === null || from < until));
}
