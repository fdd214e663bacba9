// Reads a file that the configuration names, and says in words why it cannot be read.
// No byte of the file gets into a message. Only regular files are read, so that a FIFO cannot make the process wait.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { type Problem, type ProblemPath, problemAt } from '../problems/problem.ts';

/** Why a file cannot be used. */
export interface FileRefusal {
  readonly kind: 'refused';
  /** Names the file. */
  readonly problem: string;
  readonly hint: string;
}

type NamedFile =
  | {
      readonly kind: 'read';
      readonly bytes: Buffer;
      /** Every account of the machine may read it. */
      readonly worldReadable: boolean;
    }
  | FileRefusal;

/** What is expected of a file, and the hints for the messages when it is something else. */
interface WantedFile {
  /** In bytes; a longer file is surely the wrong one. */
  readonly maxBytes: number;
  /** What the operator should do when the file is no regular file, or too long. */
  readonly hint: string;
  /** What the operator should do when the file does not exist. Default `hint`. */
  readonly missingHint?: string;
}

/** @param path  absolute path of a regular file */
export function readNamedFile(path: string, { maxBytes, hint, missingHint = hint }: WantedFile): NamedFile {
  try {
    // Non-blocking, so that a FIFO in the place of the file cannot hang the start.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) return refused(`${path} is not a regular file`, hint);
      if (status.size > maxBytes) return refused(`${path} has ${status.size} bytes, more than ${maxBytes}`, hint);
      return { kind: 'read', bytes: readFileSync(descriptor), worldReadable: (status.mode & 0o004) !== 0 };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return fileRefusal(path, error, missingHint);
  }
}

/** The refusal for a file that could not be opened or read, in words. */
export function fileRefusal(path: string, error: unknown, missingHint: string): FileRefusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return refused(`${path} does not exist`, missingHint);
    case 'EACCES':
    case 'EPERM':
      return refused(`${path} cannot be read: permission denied`, 'let the account that runs latchkey read it');
    case 'EROFS':
      return refused(
        `${path} is on a disk that is mounted read-only`,
        'name a file on another disk, or mount it writable',
      );
    default:
      return refused(`${path} cannot be read: ${code}`, 'name a readable file');
  }
}

/** The warning about a file with a secret that every account may read. */
export function worldReadableWarning(at: ProblemPath, path: string): Problem {
  return problemAt(at, `${path} can be read by every account of this machine`, `chmod 600 ${path}`);
}

function refused(problem: string, hint: string): FileRefusal {
  return { kind: 'refused', problem, hint };
}
