// Which room of gateway/ may import which, and what core/ may import of the platform.
// The tables are those of gateway/ARCHITECTURE.md, "Rooms"; the order of the wings in a room is in wings.ts.

import { dirname, join, normalize } from 'node:path/posix';
import type { Import } from './syntax.ts';

/** Which rooms a room may import, besides itself. */
const belowRoom: Readonly<Record<string, readonly string[]>> = {
  core: [],
  http1: ['core'],
  telemetry: ['http1', 'core'],
  config: ['telemetry', 'http1', 'core'],
  store: ['telemetry', 'http1', 'core'],
  wire: ['config', 'telemetry', 'http1', 'core'],
  control: ['wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  edge: ['wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  api: ['control', 'wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  cli: ['api', 'edge', 'control', 'wire', 'store', 'config', 'telemetry', 'http1', 'core'],
};

/** `node:buffer` for its pure checks, such as `isUtf8`. */
const corePackages = new Set(['node:crypto', 'node:buffer', 'ipaddr.js']);

/** The path that a relative import of `path` names, from the repository's root. */
export function resolveImport(path: string, from: string): string {
  return normalize(join(dirname(path), from));
}

/** @param path  a file of gateway/ */
export function checkRooms(path: string, imports: readonly Import[]): string[] {
  const room = roomOf(path);
  if (room !== undefined && belowRoom[room] === undefined) return [`the room ${room} is not in the architecture`];
  return imports.flatMap(({ from, names }) => {
    if (!from.startsWith('.')) return room === 'core' ? checkCorePackage(from, names) : [];
    const target = resolveImport(path, from);
    if (!target.startsWith('gateway/')) return [`imports ${from}, which is outside gateway`];
    const targetRoom = roomOf(target);
    // gateway/main.ts and the bootstrap files stand above all rooms: nobody imports them but each other.
    if (room === undefined) {
      const isAllowed = targetRoom === undefined || targetRoom === 'cli';
      return isAllowed ? [] : [`imports ${target}; entry files import cli only`];
    }
    if (targetRoom === undefined) return [`imports ${target}, an entry file`];
    const isAllowed = targetRoom === room || belowRoom[room]?.includes(targetRoom) === true;
    return isAllowed ? [] : [`${room} imports ${targetRoom} (${target})`];
  });
}

function checkCorePackage(from: string, names: readonly string[]): string[] {
  if (!corePackages.has(from)) return [`core imports ${from}; it may import only ${[...corePackages].join(' and ')}`];
  return names
    .filter((name) => from === 'node:crypto' && isRandomOrWhole(name))
    .map((name) => `core imports ${name} of ${from}`);
}

/** Randomness arrives as an argument; a whole-module import would hide which functions are used. */
function isRandomOrWhole(name: string): boolean {
  return /^(random|generate|getRandomValues|webcrypto|subtle)/.test(name) || name === '*' || name === 'default';
}

function roomOf(path: string): string | undefined {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}
