// The wings of each room in their order: an import goes down the list, or stays in its wing.
// A folder that is not in its room's list is a violation, so a new wing gets its place before it gets a second file.
// Why the wings stand in this order: gateway/ARCHITECTURE.md.

import { resolveImport } from './rooms.ts';
import type { Import } from './syntax.ts';

/** Files that stand in the room's folder itself. */
const root = '(root)';

/**
 * A folder with wings, and its wings from top to bottom. A folder that is not named here has no folders in it, but for wings
 * of wings, which are their wing's own matter.
 */
const wingsOf: Readonly<Record<string, readonly string[]>> = {
  'gateway/core': ['decision', 'token', 'model'],
  'gateway/core/decision': [root, 'verifier', 'verdict', 'state', 'route', 'policy'],
  'gateway/config': [root, 'check', 'assemble', 'files', 'schema', 'compiled', 'problems'],
  'gateway/store': ['files', 'engine', 'rows', 'sharing', 'seal', 'port', 'disk'],
  'gateway/edge': [root, 'exchange', 'listen', 'answer', 'report', 'upstream', 'live', 'request', 'engine'],
  'gateway/control': [
    ...[
      'node',
      'representations',
      'sharing',
      'signing-keys',
      'sessions',
      'users-file',
      'accounts',
      'links',
      'keys',
      'access',
    ],
    ...['explain', 'notify', 'proof', 'context'],
  ],
  'gateway/api': [root, 'v1', 'sharing', 'portal', 'serve', 'look'],
  'gateway/cli': [
    root,
    'account',
    'common-key',
    'link',
    'credential',
    'share',
    'demo',
    'store',
    'serve',
    'token',
    'command',
  ],
};

/** Rooms without wings: all their files stand in one folder. */
const flatRooms = ['gateway/http1', 'gateway/telemetry', 'gateway/wire'];

/** @param path  a file of gateway/ */
export function checkWings(path: string, imports: readonly Import[]): string[] {
  const isNested = flatRooms.some((room) => path.startsWith(`${room}/`) && path.slice(room.length + 1).includes('/'));
  if (isNested) return ['stands in a folder of a room that has no wings'];
  return Object.entries(wingsOf).flatMap(([folder, wings]) => {
    if (!path.startsWith(`${folder}/`)) return [];
    const wing = wingOf(folder, path);
    if (!wings.includes(wing)) return [`the wing ${wing} is not in the list of ${folder}`];
    return imports.flatMap(({ from }) => {
      const target = from.startsWith('.') ? resolveImport(path, from) : '';
      if (!target.startsWith(`${folder}/`)) return [];
      const targetWing = wingOf(folder, target);
      // A wing that is not listed is reported by its own files.
      if (!wings.includes(targetWing) || wings.indexOf(targetWing) >= wings.indexOf(wing)) return [];
      return [`${wing} imports ${targetWing}, which is above it (${target})`];
    });
  });
}

function wingOf(folder: string, path: string): string {
  const [first = '', ...rest] = path.slice(folder.length + 1).split('/');
  return rest.length === 0 ? root : first;
}
