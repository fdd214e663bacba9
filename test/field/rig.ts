// A gateway in front of a real Apache (files, WebDAV, git over smart HTTP), for programs that people use. Loopback only.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, settle, startProcess, waitForPort } from '../../bench/measure/processes.ts';
import { findProgram } from '../../bench/measure/programs.ts';
import { startGateway } from '../support/rigs/gateway.ts';

/** What a program said, and how it ended; a code of null: it took too long. */
interface Ran {
  readonly code: number | null;
  readonly output: string;
}

export interface FieldRig {
  /** Of the gateway, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** How often what hangs on chance is tried. */
  readonly tries: number;
  /** For what a program writes; gone afterwards. */
  readonly folder: string;
  /** What `/files/large.bin` holds. */
  readonly large: Buffer;
  run(command: readonly string[], options?: { readonly cwd?: string; readonly input?: string }): Promise<Ran>;
  close(): Promise<void>;
}

const modulesFolder = '/usr/lib/apache2/modules';
const gitBackend = '/usr/lib/git-core/git-http-backend';
const largeBytes = 24 * 1024 * 1024;
const programDeadlineMs = 120_000;

/** What is missing for the rig itself; null when it can be started. */
export function missingForRig(): string | null {
  if (findProgram('apache2') === null) return 'apache2 is not installed';
  return existsSync(join(modulesFolder, 'mod_dav_fs.so')) ? null : 'mod_dav is not installed';
}

export async function startFieldRig(tries: number): Promise<FieldRig> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-field-'));
  // Apache gives up being root, and has to get in
  chmodSync(folder, 0o755);
  const large = randomBytes(largeBytes);
  for (const name of ['dav', 'files', 'git', 'work']) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o777);
  }
  writeFileSync(join(folder, 'files', 'large.bin'), large);
  const links = ['a.html', 'sub/b.html', 'large.bin'].map((name) => `<a href="/files/${name}">${name}</a>`).join('\n');
  mkdirSync(join(folder, 'files', 'sub'));
  writeFileSync(join(folder, 'files', 'index.html'), links);
  writeFileSync(join(folder, 'files', 'a.html'), '<a href="sub/b.html">b</a>');
  writeFileSync(join(folder, 'files', 'sub', 'b.html'), 'the end');

  const apachePort = await findFreePort();
  const running = startProcess(apacheCommand(folder, apachePort), { folder });
  await settle(running, waitForPort(apachePort, running, 15_000));
  const place = (name: string) => ({ name, path: `/${name}/`, upstream: 'site' });
  const gateway = await startGateway({
    config: {
      upstreams: { site: { servers: [`http://127.0.0.1:${apachePort}`] } },
      routes: [
        ...['dav', 'files', 'git'].map((name) => ({ ...place(name), accept: ['anyone' as const] })),
        { ...place('closed'), accept: ['password'] },
        { ...place('small'), accept: ['anyone'], limits: { max_body: '1KiB' } },
      ],
      logs: { level: 'error', access: './access.log', decisions: 'off' },
    },
    users: { anna: 'a long pass phrase' },
  });
  const started = new Set<ChildProcess>();
  return {
    url: `http://127.0.0.1:${gateway.port}`,
    port: gateway.port,
    tries,
    folder: join(folder, 'work'),
    large,
    run: (command, options = {}) =>
      runProgram(command, { cwd: options.cwd ?? join(folder, 'work'), ...options }, started),
    close: async () => {
      for (const child of started) child.kill('SIGKILL');
      await gateway.close();
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runProgram(
  [program = '', ...words]: readonly string[],
  options: { readonly cwd: string; readonly input?: string },
  started: Set<ChildProcess>,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    started.add(child);
    let output = '';
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, programDeadlineMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', (error) => {
      output += error.message;
    });
    child.on('close', (code) => {
      clearTimeout(deadline);
      started.delete(child);
      resolve({ code: isLate ? null : code, output });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

function apacheCommand(folder: string, port: number): readonly string[] {
  // not prefork: that one ends its whole process group, and ours with it
  const modules = [
    ...['mpm_event', 'authz_core', 'alias', 'env', 'mime', 'dir', 'cgid', 'dav', 'dav_fs'].map(
      (name) => `LoadModule ${name}_module ${modulesFolder}/mod_${name}.so`,
    ),
  ];
  writeFileSync(
    join(folder, 'apache.conf'),
    `ServerRoot ${folder}
ServerName site
DefaultRuntimeDir ${folder}
PidFile ${join(folder, 'pid')}
ErrorLog ${join(folder, 'errors')}
LogLevel crit
Listen 127.0.0.1:${port}
${modules.join('\n')}
${process.getuid?.() === 0 ? 'User daemon\nGroup daemon' : ''}
ScriptSock ${folder}/cgid.sock
StartServers 1
ServerLimit 1
ThreadsPerChild 40
MaxRequestWorkers 40
TypesConfig /dev/null
AddType text/html .html
DocumentRoot ${folder}/files
DirectoryIndex index.html
DavLockDB ${folder}/work/locks
Alias /files ${folder}/files
Alias /dav ${folder}/dav
<Directory ${folder}>
Require all granted
</Directory>
<Location /dav>
Dav On
</Location>
SetEnv GIT_PROJECT_ROOT ${folder}/git
SetEnv GIT_HTTP_EXPORT_ALL 1
SetEnv GIT_CONFIG_COUNT 1
SetEnv GIT_CONFIG_KEY_0 safe.directory
SetEnv GIT_CONFIG_VALUE_0 *
ScriptAlias /git/ ${gitBackend}/
<Directory /usr/lib/git-core>
Require all granted
</Directory>
`,
  );
  return [findProgram('apache2') ?? 'apache2', '-D', 'FOREGROUND', '-f', join(folder, 'apache.conf')];
}
