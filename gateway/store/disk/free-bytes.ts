// How much room a file system has, for metrics.

import { statfs } from 'node:fs/promises';

/** Bytes that a program without special rights may still write where the folder stands; null when that cannot be told. */
export async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.bavail * found.bsize;
}
