// Reads a file with keys, which only its owner may be able to read. The mode is checked on the opened file, since the path could
// point to another file a moment later.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { errorCode } from './atomic-file.ts';

type PrivateText =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'missing' }
  /** The file is larger than `maxBytes` and was not read. */
  | { readonly kind: 'too-long' }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * Reads the whole file.
 *
 * @param file      absolute path
 * @param exposed   advice for a file that others could read, appended to `chmod 600 …;` in the hint: `make new keys`
 * @param maxBytes  a longer file is taken for a wrong one
 */
export function readPrivateFile(file: string, exposed: string, maxBytes: number): PrivateText {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { mode, size } = fstatSync(descriptor);
      if ((mode & 0o077) !== 0) {
        return {
          kind: 'refused',
          problem: `${file} can be read by others (mode 0${(mode & 0o777).toString(8)})`,
          hint: `chmod 600 ${file}; ${exposed}`,
        };
      }
      if (size > maxBytes) return { kind: 'too-long' };
      return { kind: 'read', text: readFileSync(descriptor, 'utf8') };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { kind: 'missing' };
    return { kind: 'refused', problem: `${file} cannot be read: ${code}`, hint: 'let latchkey read it' };
  }
}
