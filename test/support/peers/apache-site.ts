// A real Apache with mod_dav as the site behind the gateway. Its folder and its processes go with `close`.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findFreePort,
  type RunningProcess,
  settle,
  startProcess,
  waitForPort,
} from '../../../bench/measure/processes.ts';
import { findProgram } from '../../../bench/measure/programs.ts';

const program = findProgram('apache2') ?? findProgram('httpd');
const moduleFolders = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];
const modules = moduleFolders.find((folder) => existsSync(join(folder, 'mod_dav_fs.so'))) ?? null;

/** Whether an Apache with mod_dav is installed. */
export const hasApacheDav = program !== null && modules !== null;

/** One Apache that serves a folder by WebDAV, on a free port of loopback. */
export class ApacheSite {
  readonly root: string;
  readonly port: number;
  readonly #folder: string;
  readonly #process: RunningProcess;

  private constructor(folder: string, port: number, running: RunningProcess) {
    this.#folder = folder;
    this.root = join(folder, 'root');
    this.port = port;
    this.#process = running;
  }

  /** @param folders  to make below the root */
  static async start(folders: readonly string[]): Promise<ApacheSite> {
    if (program === null || modules === null) throw new Error('Apache with mod_dav is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-site-'));
    const root = join(folder, 'root');
    for (const name of ['', ...folders]) {
      mkdirSync(join(root, name), { recursive: true });
      // as root, Apache serves as another account
      chmodSync(join(root, name), 0o777);
    }
    chmodSync(folder, 0o777);
    const port = await findFreePort();
    const load = ['mpm_event', 'authz_core', 'dav', 'dav_fs'].map(
      (name) => `LoadModule ${name}_module ${join(modules, `mod_${name}.so`)}`,
    );
    const account = process.getuid?.() === 0 ? 'User nobody\nGroup nogroup\n' : '';
    const file = join(folder, 'httpd.conf');
    writeFileSync(
      file,
      `ServerRoot ${folder}
Listen 127.0.0.1:${port}
PidFile pid
ErrorLog error.log
ServerName site.internal
${account}${load.join('\n')}
DavLockDB ${join(folder, 'locks')}
DocumentRoot ${root}
<Directory ${root}>
  Dav On
  Require all granted
</Directory>
`,
    );
    const running = startProcess([program, '-d', folder, '-f', file, '-DFOREGROUND'], { folder });
    await settle(running, waitForPort(port, running, 15_000));
    return new ApacheSite(folder, port, running);
  }

  async close(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
