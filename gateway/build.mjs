// Builds dist/ for the packed package: the sources of gateway/ with their types stripped, and declarations beside them.
// It checks no types: `npm run check` does, for all that is here.
// Node refuses TypeScript under node_modules, so an installed latchkey cannot run the sources as the repository does.
// Plain JavaScript for Node 20, since `npm pack` may start it with any Node.

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

// A file that was renamed must not live on in the package under its old name.
rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync(execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
exit(status ?? 1);
