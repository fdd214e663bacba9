// A real nginx as the site behind the gateway, for what only a real site shows. Its folder and its process go with `close`.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

const program = findProgram('nginx');

/** Whether an nginx is installed. */
export const hasNginx = program !== null;

/** One nginx with one server, which listens on a free port of loopback. */
export class NginxSite {
  readonly folder: string;
  readonly port: number;
  readonly #process: RunningProcess;

  private constructor(folder: string, port: number, running: RunningProcess) {
    this.folder = folder;
    this.port = port;
    this.#process = running;
  }

  /**
   * @param files   content by path below the server's root
   * @param server  directives of the server block; `PORT` is its port, `ROOT` its root
   */
  static async start(files: Readonly<Record<string, string>>, server: string): Promise<NginxSite> {
    if (program === null) throw new Error('nginx is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-site-'));
    const root = join(folder, 'root');
    mkdirSync(root);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    const port = await findFreePort();
    // As root nginx would serve as another account, to which the temporary folder is closed.
    const account = process.getuid?.() === 0 ? 'user root;' : '';
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(folder, name)};`,
    );
    const file = join(folder, 'nginx.conf');
    const directives = server.replaceAll('PORT', String(port)).replaceAll('ROOT', root);
    writeFileSync(
      file,
      `daemon off; pid ${join(folder, 'pid')}; ${account} worker_processes 1; events {}
http { access_log off; types { text/html html; } ${paths.join(' ')}
server { listen 127.0.0.1:${port}; root ${root}; ${directives} } }
`,
    );
    const running = startProcess([program, '-e', 'stderr', '-c', file], { folder });
    await settle(running, waitForPort(port, running, 15_000));
    return new NginxSite(folder, port, running);
  }

  async close(): Promise<void> {
    await this.#process.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
