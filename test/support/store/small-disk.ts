// A disk that is really full: a small file system that is mounted for the test, which takes root on Linux. Other tests skip with the reason.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface SmallDisk {
  readonly path: string;
  /** Fills the disk. */
  readonly fill: () => void;
  /** Frees the space again. */
  readonly free: () => void;
  /** Makes it read-only. Nothing may be open for writing there. */
  readonly protect: () => void;
}

/** Mounts one; it is gone after the test, or when `clear` is called where there is none. @returns why it cannot be done here */
export function mountSmallDisk(kib: number, onEnd: (clear: () => void) => void = onTestFinished): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a small disk is mounted by root on Linux only';
  const path = mkdtempSync(join(tmpdir(), 'latchkey-disk-'));
  const mount = (options: string): boolean =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' }).status === 0;
  if (!mount(`size=${kib}k,mode=700`)) {
    rmSync(path, { recursive: true, force: true });
    return 'this machine lets nobody mount a file system';
  }
  onEnd(() => {
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
    rmSync(path, { recursive: true, force: true });
  });
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => {
      for (let part = 0; ; part++) {
        const { bavail, bsize } = statfsSync(path);
        if (bavail === 0) return;
        writeFileSync(`${ballast}-${part}`, Buffer.alloc(bavail * bsize));
      }
    },
    free: () => {
      for (let part = 0; part < 100; part++) rmSync(`${ballast}-${part}`, { force: true });
    },
    protect: () => {
      mount('remount,ro');
    },
  };
}
