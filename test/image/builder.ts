// Calls buildah: storage in a folder of this run, chroot isolation, so that neither a daemon nor namespaces of users are needed.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repository } from '../support/run/package-copy.ts';
import { runCommand } from '../support/run/run-command.ts';

const configShape = z.object({
  Docker: z.object({
    config: z.object({
      User: z.string(),
      Env: z.array(z.string()),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      Volumes: z.record(z.string(), z.unknown()),
      ExposedPorts: z.record(z.string(), z.unknown()),
      Healthcheck: z.object({ Test: z.array(z.string()) }),
    }),
  }),
});

/** The image that was built. */
export interface BuiltImage {
  /** Where its files are: the root file system of a container that was made of it. */
  readonly root: string;
  readonly bytes: number;
  readonly config: z.infer<typeof configShape>['Docker']['config'];
}

export class Builder {
  readonly #folder: string;
  readonly #containers: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds the Dockerfile on a base image, and mounts a container of the result. */
  async build(base: string): Promise<BuiltImage> {
    await this.buildah(
      ...['build', '--isolation', 'chroot', '--network', 'host', '--format', 'docker', ...this.#npmSettings()],
      ...['--build-arg', `BASE=${base}`, '--tag', 'localhost/latchkey', repository],
    );
    const container = await this.start('localhost/latchkey');
    const inspected = configShape.parse(
      JSON.parse(await this.buildah('inspect', '--type', 'image', 'localhost/latchkey')),
    );
    const root = await this.buildah('mount', container);
    const bytes = Number.parseInt((await runCommand('du', ['-sb', root])).stdout, 10);
    return { root, bytes, config: inspected.Docker.config };
  }

  /** Makes a container; it ends with the builder. @returns its id */
  async start(image: string): Promise<string> {
    const container = await this.buildah('from', '--pull-never', image);
    this.#containers.push(container);
    return container;
  }

  /** @returns standard output, without the line's end. @throws Error with the last lines of both outputs */
  async buildah(...args: string[]): Promise<string> {
    const storage = [
      '--root',
      join(this.#folder, 'store'),
      '--runroot',
      join(this.#folder, 'run'),
      '--storage-driver',
      'vfs',
    ];
    const { code, stdout, stderr } = await runCommand('buildah', [...storage, ...args]);
    if (code === 0) return stdout.trim();
    const told = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`buildah ${args[0]} ended with ${code}:\n${told}`);
  }

  async close(): Promise<void> {
    for (const container of this.#containers) {
      await this.buildah('umount', container).catch(() => '');
      await this.buildah('rm', container).catch(() => '');
    }
  }

  /** npm in the build asks the registry that npm asks here, and believes the authorities that Node.js believes here. */
  #npmSettings(): string[] {
    const authorities = process.env.NODE_EXTRA_CA_CERTS;
    const given = process.env.npm_config_userconfig ?? join(process.env.HOME ?? '/root', '.npmrc');
    const lines = existsSync(given) ? [readFileSync(given, 'utf8')] : [];
    const mounts: string[] = [];
    if (authorities !== undefined && existsSync(authorities)) {
      lines.push('cafile=/etc/extra-authorities.pem');
      mounts.push('--volume', `${authorities}:/etc/extra-authorities.pem:ro`);
    }
    const registry = process.env.npm_config_registry;
    if (registry !== undefined) lines.push(`registry=${registry}`);
    if (lines.length === 0) return mounts;
    const file = join(this.#folder, 'npmrc');
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    return [...mounts, '--volume', `${file}:/root/.npmrc:ro`];
  }
}
