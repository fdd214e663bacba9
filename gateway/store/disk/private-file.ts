// Reads a file that nobody but its owner may read: keys are in it. Looks at the mode of what was opened, not of what stands at the
// path a moment later.

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { errorCode } from './atomic-file.ts';

type PrivateText =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'missing' }
  /** Larger than what was asked for; not read. */
  | { readonly kind: 'too-long' }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * @param file      absolute path
 * @param exposed   what to do when others could have read it, behind `chmod`: `make new keys`
 * @param maxBytes  a longer one is the file of something else
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
