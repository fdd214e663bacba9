// Starts the peers that are Node.js programs: each is one script below node/ that prints the port it listens on.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pin } from '../measure/cores.ts';
import { settle, startProcess } from '../measure/processes.ts';
import type { Availability, Peer, RunningPeer, Start } from './peer.ts';

/** A peer that only forwards, built on an npm package. @param script  its file below node/ */
export function makeNodePeer(name: string, title: string, packageName: string, script: string): Peer {
  return {
    name,
    title,
    form: 'bearer',
    checks: false,
    measures: 'all',
    logs: false,
    find: () => findPackage(packageName),
    start: (start) => launch(start, script),
  };
}

function findPackage(name: string): Availability {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    // looks for the nearest package.json that names the package, since not every package exports its own
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      const version = readPackageVersion(join(folder, 'package.json'), name);
      if (version !== null) return { kind: 'installed', version };
    }
  } catch {
    // a package that cannot be resolved is not installed
  }
  return { kind: 'missing', hint: `npm install ${name}` };
}

function readPackageVersion(file: string, name: string): string | null {
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string; readonly version?: string };
    return content.name === name ? (content.version ?? null) : null;
  } catch {
    return null;
  }
}

async function launch(start: Start, script: string): Promise<RunningPeer> {
  const file = fileURLToPath(new URL(`./node/${script}`, import.meta.url));
  const command = [process.execPath, '--no-deprecation', file, String(start.backendPort)];
  const child = startProcess(pin(start.plan, 'proxy', command));
  const { port } = JSON.parse(await settle(child, child.readLine(15_000))) as { readonly port: number };
  return { port, process: child };
}
