// `latchkey demo`: runs the gateway in front of three sites, all on this machine, and prints lines to try it out.
// The sites run in this process; the gateway runs as always, by `latchkey serve` with a configuration file.

import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { randomBase32 } from '../store/seal/random-base32.ts';
import { epochMilliseconds, isoTime } from '../telemetry/clock.ts';
import { CommandError, refusalError } from './command/command-error.ts';
import { printNote } from './command/terminal.ts';
import { type DemoHosts, demoNames, loopbackHosts, readDemoHosts } from './demo/demo-names.ts';
import { describeDemo } from './demo/describe-demo.ts';
import { startMailsSite } from './demo/mails-site.ts';
import { startMediaUpstream } from './demo/media-upstream.ts';
import { startNotesUpstream } from './demo/notes-upstream.ts';
import { findDemoFiles } from './demo/package-files.ts';
import { prepareDemo } from './demo/prepare-demo.ts';
import { runGateway } from './demo/run-gateway.ts';
import { startWebUpstream } from './demo/web-upstream.ts';

/** Adds the command `demo` to the program. */
export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('run latchkey in front of three small sites on this machine, to try it out')
    .option('--port <port>', 'port of the gateway; another one is taken when it is in use, 0 takes any', readPort, 8080)
    .option('--data-dir <folder>', 'where configuration, logs and keys of the demo go', './data/demo')
    .option(
      '--host <name>',
      'open it to other machines, by http: a name that leads here with all names below it, or an address of this machine',
      readHosts,
      loopbackHosts,
    )
    .addHelpText('after', '\nExamples:\n  latchkey demo --port 9000\n  latchkey demo --host 192.168.1.20')
    .action(async ({ port, dataDir, host }: { port: number; dataDir: string; host: DemoHosts }) => {
      await runDemo(port, resolve(dataDir), host);
    });
}

/** Runs the demo until a signal, or until the gateway ends. A second signal changes nothing, since ending has its own deadline. */
async function runDemo(wantedPort: number, folder: string, hosts: DemoHosts): Promise<void> {
  const stopped = new Promise<number>((settle) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => settle(0));
  });

  const files = findDemoFiles();
  let gatewayPort = 0;
  let mediaLog: string | undefined;
  let mailsFile: string | null = null;
  await using closing = new AsyncDisposableStack();
  const media = await startMediaUpstream(files, (request) => {
    const line = JSON.stringify({ time: isoTime(epochMilliseconds()), ...request });
    if (mediaLog !== undefined) appendFileSync(mediaLog, `${line}\n`);
  });
  closing.defer(() => media.close());
  const web = await startWebUpstream({
    files,
    jwks: () => ({ address: hosts.reach, host: hosts.app, port: gatewayPort, path: demoNames.jwksPath }),
    issuer: demoNames.issuer,
    audience: demoNames.webUpstream,
  });
  closing.defer(() => web.close());
  const notes = await startNotesUpstream({ files, signOutPath: demoNames.signOutPath });
  closing.defer(() => notes.close());
  const secret = randomBase32(20);
  const mails = await startMailsSite({ files, mailsFile: () => mailsFile, secret });
  closing.defer(() => mails.close());
  const ports = { mediaPort: media.port, webPort: web.port, notesPort: notes.port };

  const { prepared, gateway } = await startOnFreePort(hosts, wantedPort, async (port) => {
    const made = await prepareDemo({ folder, port, hosts, ...ports });
    if (made.kind === 'refused') throw refusalError(made);
    ({ mediaLog, mailsFile } = made);
    writeFileSync(mediaLog, '');
    return { prepared: made, gateway: await runGateway(made.configFile) };
  });
  closing.defer(() => gateway.stop());
  gatewayPort = gateway.port;
  if (gateway.port !== wantedPort && wantedPort !== 0) {
    printNote(`port ${wantedPort} is in use, so the demo is on ${gateway.port}`);
  }
  process.stdout.write(
    describeDemo({
      ...prepared,
      hosts,
      mailsPage: `http://127.0.0.1:${mails.port}/mails/${secret}`,
      port: gateway.port,
      folder,
    }),
  );

  const code = await Promise.race([stopped, gateway.ended]);
  if (code !== 0) throw new CommandError(`the gateway ended with exit code ${code}`, { hint: 'see its message above' });
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535');
  return port;
}

function readHosts(text: string): DemoHosts {
  const hosts = readDemoHosts(text);
  if (hosts === null) {
    throw new InvalidArgumentError(
      'write a name or one address of this machine that others can use, like 192.168.1.20',
    );
  }
  return hosts;
}

const mostTries = 3;

/**
 * Starts the gateway on the wanted port, or on a free port that the system picks. The port is chosen before the start, because the
 * configuration needs it in the portal's URL. If another program takes the port in between, another port is tried.
 */
async function startOnFreePort<T>(hosts: DemoHosts, wanted: number, start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const port = (await listenForAMoment(hosts, wanted)) ?? (await listenForAMoment(hosts, 0));
    if (port === null) throw noPort(hosts);
    try {
      return await start(port);
    } catch (error) {
      const isTaken = (await listenForAMoment(hosts, port)) === null;
      if (!isTaken || tries === mostTries) throw error;
    }
  }
}

function noPort({ listen, isOpen }: DemoHosts): CommandError {
  const hint = isOpen && listen !== '' ? { hint: `is ${listen} an address of this machine?` } : {};
  return new CommandError(`no port of ${listen === '' ? 'this machine' : listen} can be listened on`, hint);
}

/** Tries to listen on a port where the demo is to be; 0 for any. @returns the port, which is free again; null when it could not be listened on */
function listenForAMoment({ listen }: DemoHosts, wanted: number): Promise<number | null> {
  return new Promise((settle) => {
    const probe = createServer();
    probe.once('error', () => settle(null));
    probe.listen({ port: wanted, ...(listen === '' ? {} : { host: listen.replace(/[[\]]/g, '') }) }, () => {
      const address = probe.address();
      const port = address !== null && typeof address === 'object' ? address.port : null;
      probe.close(() => settle(port));
    });
  });
}
