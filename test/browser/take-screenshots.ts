// `npm run screenshots -- FOLDER`: a picture of every page of the portal, both themes, wide and on a phone, to be looked at.
// The pages are those of portal.test.ts, with the data it makes up. The folder should be outside the repository.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, env, execPath, exit } from 'node:process';

const [folder] = argv.slice(2);
if (folder === undefined) {
  console.error('say where the pictures go: npm run screenshots -- FOLDER');
  exit(2);
}
const absolute = resolve(folder);
mkdirSync(absolute, { recursive: true });
const child = spawn(execPath, [join(import.meta.dirname, '..', 'run.mjs'), 'test/browser/portal.test.ts'], {
  stdio: 'inherit',
  env: { ...env, LATCHKEY_SCREENSHOTS: absolute },
});
child.on('close', (code) => {
  if (code === 0) console.log(`pictures are in ${absolute}`);
  exit(code ?? 1);
});
