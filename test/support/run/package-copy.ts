// A copy of what latchkey is packed and built from, so that a test can build without touching the checkout.
// node_modules is the checkout's, by a link.

import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

const sources = [
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
  ...['gateway', 'config', 'bench/README.md', 'CHANGELOG.md', 'LICENSE', 'README.md'],
];

/** Copies the sources to `folder`, which is made. What is not written yet, such as the README, is left out. */
export async function copyPackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of sources) {
    await cp(join(repository, name), join(folder, name), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
}
