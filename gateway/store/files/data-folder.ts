// Takes the data folder for one latchkey: makes it, locks it, and names the sockets inside it.
// The lock is a lock of the kernel, held through SQLite, so it ends with the process however the process ended.
// Nothing else may open `latchkey.lock`: closing any handle on it in this process would drop the lock (POSIX fcntl locks).

import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describeFailure } from '../port/failure-cause.ts';

/** Longest socket path in bytes; the systems' own limits are 107 (Linux) and 103 (macOS). */
const maxSocketPathBytes = 100;

/** The folder, held by this process, and the paths in it. */
export interface DataFolder {
  readonly kind: 'opened';
  /** Absolute path of the folder. */
  readonly path: string;
  /** Folder of the sockets, mode 0700. */
  readonly runFolder: string;
  /** Where control listens for edges. */
  readonly edgeSocket: string;
  /** Where control serves the reserved prefix. */
  readonly publicSocket: string;
  /** Where control takes the operator's orders. */
  readonly adminSocket: string;
  /** Lets the folder go. Harmless when called twice. */
  close(): void;
}

interface RefusedFolder {
  readonly kind: 'refused';
  readonly problem: string;
  readonly hint: string;
}

/**
 * Opens the folder and holds it until `close` or the end of the process.
 *
 * @param folder  absolute path; made with mode 0700 when missing
 * @returns refused when another latchkey holds it, when it cannot be made, or when a socket path in it would be too long
 */
export function openDataFolder(folder: string): DataFolder | RefusedFolder {
  const runFolder = join(folder, 'run');
  const edgeSocket = join(runFolder, 'edge.sock');
  const publicSocket = join(runFolder, 'public.sock');
  const adminSocket = adminSocketIn(folder);
  const longest = Math.max(...[edgeSocket, publicSocket, adminSocket].map((path) => Buffer.byteLength(path)));
  if (longest > maxSocketPathBytes) {
    return refused(
      `data_dir ${folder} makes a socket path of ${longest} bytes, more than ${maxSocketPathBytes}`,
      'choose a shorter data_dir, like /var/lib/latchkey',
    );
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    return refused(
      `data_dir ${folder} cannot be made: ${describeFailure(error).words}`,
      'make it yourself, or let latchkey write to its parent',
    );
  }
  const lock = takeLock(folder);
  if ('kind' in lock) return lock;
  try {
    mkdirSync(runFolder, { recursive: true, mode: 0o700 });
    chmodSync(runFolder, 0o700);
    // This process has the lock, so no other latchkey listens on these sockets.
    rmSync(edgeSocket, { force: true });
    rmSync(publicSocket, { force: true });
    rmSync(adminSocket, { force: true });
  } catch (error) {
    lock.close();
    return refused(
      `${runFolder} cannot be used: ${describeFailure(error).words}`,
      'let latchkey own everything in data_dir',
    );
  }
  return {
    kind: 'opened',
    path: folder,
    runFolder,
    edgeSocket,
    publicSocket,
    adminSocket,
    close() {
      if (lock.isOpen) lock.close();
    },
  };
}

/** The administration socket of a data folder, whether a gateway runs there or not. */
export function adminSocketIn(folder: string): string {
  return join(folder, 'run', 'admin.sock');
}

function takeLock(folder: string): DatabaseSync | RefusedFolder {
  const file = join(folder, 'latchkey.lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    // before SQLite makes the journal, which takes over this mode
    chmodSync(file, 0o600);
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    // Primary result codes: https://www.sqlite.org/rescode.html
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    switch (code) {
      case 5:
      case 6:
        return refused(
          `data_dir ${folder} is held by another latchkey`,
          'stop that one first, or give this one its own data_dir (the demo: --data-dir FOLDER)',
        );
      case 26:
        return refused(`${file} is not a lock of latchkey`, 'is this really the data folder? if so, delete that file');
      default:
        return refused(
          `${file} cannot be locked: ${describeFailure(error).words}`,
          'data_dir must be a folder on a local disk that latchkey may write to',
        );
    }
  }
}

function refused(problem: string, hint: string): RefusedFolder {
  return { kind: 'refused', problem, hint };
}
