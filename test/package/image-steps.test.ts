// The steps of the Dockerfile without a container engine: its COPY and RUN lines are read and done in folders, the
// result runs as an account that may write to nothing but its data folder. That the image builds is NOT shown by this.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../support/run/package-copy.ts';
import { type CommandResult, runCommand } from '../support/run/run-command.ts';

/** `nobody` on every system that runs containers. */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const account = isRoot ? { uid: nobody, gid: nobody } : {};

let base = '';
let image = '';
let node = '';
let dockerfile = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'latchkey-image-'));
  await chmod(base, 0o755);
  dockerfile = (await readFile(join(repository, 'Dockerfile'), 'utf8')).replaceAll('\\\n', ' ');
  await followDockerfile();
  // The base image's Node.js, where the account can reach it.
  node = join(base, 'node');
  await cp(process.execPath, node, { dereference: true });
  await runCommand('chmod', ['-R', 'a+rX,a-w', image]);
}, 240_000);

afterAll(async () => {
  await runCommand('chmod', ['-R', 'u+w', base]);
  await rm(base, { recursive: true, force: true });
});

/** Does FROM, WORKDIR, COPY and RUN; a RUN that prepares the system outside of the work folder is left out. */
async function followDockerfile(): Promise<void> {
  const allowed = (await readFile(join(repository, '.dockerignore'), 'utf8')).match(/(?<=^!).+/gm) ?? [];
  let folder = '';
  const stages = new Map<string, string>();
  for (const line of dockerfile.split('\n')) {
    const [instruction, ...words] = line.trim().split(/\s+/);
    if (instruction === 'FROM') {
      folder = join(base, `stage-${stages.size}`);
      await mkdir(folder);
      stages.set(words[2] ?? 'last', folder);
    } else if (instruction === 'COPY') {
      const from = words[0]?.startsWith('--from=') === true ? stages.get(words.shift()?.slice(7) ?? '') : undefined;
      const target = words.pop() ?? '';
      for (const name of words) {
        if (from === undefined) expect(allowed, 'let in by .dockerignore').toContain(name.split('/')[0]);
        const source = from === undefined ? join(repository, name) : join(from, name.replace(/^\/build\//, ''));
        const into = target.endsWith('/') ? join(folder, target, basename(name)) : join(folder, target);
        await mkdir(dirname(into), { recursive: true });
        // nobody looks at a stage again
        if (from !== undefined) await rename(source, into);
        else await cp(source, into, { recursive: true, verbatimSymlinks: true });
      }
    } else if (line === 'RUN npm ci --ignore-scripts --no-audit --no-fund') {
      // With everything, for building: the checkout has just that already.
      await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    } else if (instruction === 'RUN' && !line.includes('/usr/local/bin')) {
      const { code, stderr, stdout } = await runCommand('sh', ['-c', words.join(' ')], { cwd: folder });
      expect(code, `${line}\n${stdout}${stderr}`).toBe(0);
    }
  }
  image = stages.get('last') ?? '';
}

function checkHealth(operationsPort: number): Promise<CommandResult> {
  const [, command = '[]'] = /HEALTHCHECK.*CMD (\[.*\])/.exec(dockerfile) ?? [];
  const [, ...args]: string[] = JSON.parse(command);
  expect(args.length).toBeGreaterThan(0);
  return runCommand(node, args, { ...account, env: { OPERATIONS: `http://127.0.0.1:${operationsPort}` } });
}

test('the image holds production dependencies only, and no second Node.js', async () => {
  const modules = await readdir(join(image, 'node_modules'));
  expect(modules).toContain('fastify');
  expect(modules.filter((name) => /^(vitest|typescript|node-linux|playwright)/.test(name))).toEqual([]);
  expect(await readdir(image)).not.toContain('test');
});

test('the Dockerfile ends as an account that is not root, with a volume and the same entry as the test', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('FROM'));
  expect(last).toMatch(/^USER node$/m);
  expect(last).toMatch(/^VOLUME \/data$/m);
  expect(last).toMatch(/^ENTRYPOINT \["latchkey"\]$/m);
  expect(last).toContain('gateway/latchkey.mjs /usr/local/bin/latchkey');
});

test('it serves as an unprivileged account that can write to its data folder only', async () => {
  const data = join(base, 'data');
  await mkdir(data, { mode: 0o700 });
  if (isRoot) await chown(data, nobody, nobody);
  const config = join(base, 'latchkey.yaml');
  await writeFile(
    config,
    `listeners: [{ address: "127.0.0.1:0" }]
operations: { address: "127.0.0.1:0" }
data_dir: ${data}
edges: 1
upstreams: { web: { servers: ["http://127.0.0.1:9"] } }
routes: [{ name: web, path: /, upstream: web, accept: [token] }]
logs: { access: off, decisions: off }
`,
  );
  const child = spawn(node, [join(image, 'gateway', 'latchkey.mjs'), 'serve', '--config', config, '--json-ready'], {
    ...account,
    cwd: image,
    env: { NODE_ENV: 'production', PATH: dirname(node) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const ready = JSON.parse(line);
    const answer = await fetch(`http://127.0.0.1:${ready.listeners[0].port}/`);
    expect(answer.status).toBe(401);
    expect((await checkHealth(ready.operations.port)).code).toBe(0);

    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect((await checkHealth(ready.operations.port)).code).toBe(1);
  } finally {
    child.kill('SIGKILL');
  }
});
