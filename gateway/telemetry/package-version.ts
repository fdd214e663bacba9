// The version of latchkey, as package.json says it.

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version in package.json, which lies at different depths above the sources and above dist/. */
export function packageVersion(): string {
  const file = findPackageJSON(import.meta.url);
  const manifest: unknown = file === undefined ? null : JSON.parse(readFileSync(file, 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  return typeof version === 'string' ? version : 'unknown';
}
