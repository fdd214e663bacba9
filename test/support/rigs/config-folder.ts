// A temporary folder with a key, a users file and a configuration file, for tests of the loader.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import { type LoadedConfig, loadConfig } from '../../../gateway/config/load.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';

/** The least a file can say. */
export const minimalYaml = `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [token] }]
`;

/** The minimal file with its one route's fields replaced. */
export function yamlWithRoute(fields: string): string {
  return minimalYaml.replace('path: /, upstream: web, accept: [token]', `upstream: web, ${fields}`);
}

export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'latchkey-config-'));

  constructor() {
    writeFileSync(join(this.path, 'k1.secret'), `${'k'.repeat(32)}\n`, { mode: 0o600 });
    writeFileSync(join(this.path, 'users'), '', { mode: 0o600 });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  load(yaml: string, environment: Record<string, string> = {}): LoadedConfig {
    writeFileSync(this.file('latchkey.yaml'), yaml);
    return loadConfig(this.file('latchkey.yaml'), (name) => environment[name], { cores: 3 });
  }

  /** The configuration; throws with every problem when it is invalid. */
  config(yaml: string, environment: Record<string, string> = {}): Config {
    const loaded = this.load(yaml, environment);
    if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'));
    return loaded.config;
  }

  /** The problems as lines; none when it loads. */
  problems(yaml: string, environment: Record<string, string> = {}): string[] {
    const loaded = this.load(yaml, environment);
    return loaded.kind === 'invalid' ? loaded.problems.map(formatProblem) : [];
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
