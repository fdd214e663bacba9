// Writes files so that a reader sees the old content or the new and nothing between, also after a power cut.
// The steps: a temporary file in the same folder, fsync, a rename or link that makes the name point to it, fsync of the folder.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces a file or makes it, mode 0600. An existing file's owner stays, so that `sudo` does not lock the service out. */
export function replaceFile(path: string, content: string): void {
  const owner = statSync(path, { throwIfNoEntry: false });
  const temporary = writeTemporary(path, content, owner);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(path);
}

/** Makes a file that must not exist yet, mode 0600. @returns false when the file exists already; it stays as it is */
export function createFile(path: string, content: string): boolean {
  const temporary = writeTemporary(path, content, undefined);
  try {
    // link(2) and not rename(2): it never replaces what is there.
    linkSync(temporary, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  syncFolder(path);
  return true;
}

/**
 * Replaces a file or makes it, mode 0600, with content that comes in pieces and may be larger than memory. The old file stays when
 * the pieces end in an error.
 */
export async function replaceFileInPieces(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
    await file.close();
    renameSync(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(path);
}

/** The `code` of a system error; `unknown error` for any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}

function writeTemporary(path: string, content: string, owner: { uid: number; gid: number } | undefined): string {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    if (owner !== undefined && (owner.uid !== process.getuid?.() || owner.gid !== process.getgid?.())) {
      fchownSync(descriptor, owner.uid, owner.gid);
    }
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

function syncFolder(path: string): void {
  const descriptor = openSync(dirname(path), 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
