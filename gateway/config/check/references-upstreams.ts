// Compares the values of one upstream with each other and with the files that they name. Reads files, changes none.
// Rule: unix(7), a socket's path has at most 107 bytes.

import { assembleTls } from '../assemble/assemble-upstream.ts';
import { worldReadableWarning } from '../files/named-file.ts';
import { readTlsFiles } from '../files/upstream-tls.ts';
import { type Problem, type ProblemPath, problemAt } from '../problems/problem.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';
import type { UpstreamFile } from '../schema/schema-upstreams.ts';
import { authorityOf, type WrittenServer } from '../schema/upstream-values.ts';

/** Longest path of a Unix socket in bytes; the kernel keeps 108 with the NUL behind it. */
const maxSocketPathBytes = 107;

/**
 * Checks the upstreams of a draft, as far as they could be read.
 *
 * @param files  `check` opens the files that are named; `skip` leaves them alone
 */
export function checkUpstreams(
  upstreams: Readonly<Record<string, Draft<UpstreamFile> | undefined>>,
  absolute: (path: string) => string,
  files: 'check' | 'skip',
  problems: Problem[],
  warnings: Problem[],
): void {
  for (const [name, upstream] of Object.entries(upstreams)) {
    if (upstream === undefined) continue;
    const path = ['upstreams', name];
    checkServers(upstream, path, absolute, problems, warnings);
    checkBalance(upstream, path, problems, warnings);
    checkTls(upstream, path, absolute, files, problems, warnings);
  }
}

function checkServers(
  upstream: Draft<UpstreamFile>,
  path: ProblemPath,
  absolute: (path: string) => string,
  problems: Problem[],
  warnings: Problem[],
): void {
  const seen = new Map<string, number>();
  for (const [at, entry] of (upstream.servers ?? []).entries()) {
    const server = serverOf(entry);
    if (server === null) continue;
    const place = [...path, 'servers', at];
    if (server.address.kind === 'unix') {
      const bytes = Buffer.byteLength(absolute(server.address.path));
      if (bytes > maxSocketPathBytes) {
        const text = `the path of the socket has ${bytes} bytes, a system takes ${maxSocketPathBytes}`;
        problems.push(problemAt(place, text, 'put the socket in a folder with a shorter path, like /run/app'));
      }
    }
    const key = `${server.isTls} ${authorityOf(server, absolute)}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, at);
    else {
      const hint = 'drop one of them; weight: 2 gives a server twice the share';
      warnings.push(problemAt(place, `the same server as servers[${first}]`, hint));
    }
  }
}

function checkBalance(
  upstream: Draft<UpstreamFile>,
  path: ProblemPath,
  problems: Problem[],
  warnings: Problem[],
): void {
  const { balance } = upstream;
  if (balance === undefined || typeof balance === 'string') return;
  const chosen = Object.entries(balance).filter(([, value]) => value !== undefined);
  if (chosen.length === 1) return;
  const place = [...path, 'balance'];
  if (chosen.length > 1) problems.push(problemAt(place, 'hashes by more than one thing', 'keep one of them'));
  // a warning and no problem: in a draft the missing setting may be present but unreadable
  else warnings.push(problemAt(place, 'says nothing', 'write hash: path, hash_header: NAME or hash_cookie: NAME'));
}

function checkTls(
  upstream: Draft<UpstreamFile>,
  path: ProblemPath,
  absolute: (path: string) => string,
  files: 'check' | 'skip',
  problems: Problem[],
  warnings: Problem[],
): void {
  const { tls } = upstream;
  if (tls === undefined) return;
  const place = [...path, 'tls'];
  const servers = (upstream.servers ?? []).map(serverOf);
  // a Unix socket does not leave the machine
  const plain = servers.findIndex((server) => server?.address.kind === 'tcp' && !server.isTls);
  if (servers.every((server) => server !== null && !server.isTls)) {
    problems.push(problemAt(place, 'no server of this upstream speaks TLS', 'write https://host:port under servers'));
  } else if (plain >= 0) {
    const hint = 'write https:// when it speaks TLS too';
    warnings.push(problemAt([...path, 'servers', plain], 'is spoken to in plain text beside servers with TLS', hint));
  }
  if (tls.verify === false) {
    const hint = 'set ca_file to the certificate that signed theirs, and drop verify: false';
    warnings.push(problemAt([...place, 'verify'], 'anybody on the way can pretend to be this upstream', hint));
  }
  if (tls.client_certificate_file !== undefined && tls.client_key_file === undefined) {
    problems.push(problemAt([...place, 'client_certificate_file'], 'has no key', 'set client_key_file as well'));
    return;
  }
  if (tls.client_key_file !== undefined && tls.client_certificate_file === undefined) {
    problems.push(
      problemAt([...place, 'client_key_file'], 'has no certificate', 'set client_certificate_file as well'),
    );
    return;
  }
  if (files === 'skip') return;
  const read = readTlsFiles(assembleTls(tls, absolute));
  if (read.kind === 'refused') {
    problems.push(problemAt([...place, read.at], read.problem, read.hint));
    return;
  }
  if (read.keyIsWorldReadable) {
    warnings.push(worldReadableWarning([...place, 'client_key_file'], absolute(tls.client_key_file ?? '')));
  }
  if (read.dateProblem !== null) {
    warnings.push(problemAt([...place, 'client_certificate_file'], read.dateProblem, 'renew it, then reload'));
  }
}

/** The server of an entry, with or without a weight; null when its address could not be read. */
/** Warns of an upstream that is a listener of this gateway: its requests would go in a circle until one is refused with 508. */
export function checkRoundTrips(draft: Draft<ConfigFile>, warnings: Problem[]): void {
  for (const [name, upstream] of Object.entries(draft.upstreams ?? {})) {
    for (const [at, entry] of (upstream?.servers ?? []).entries()) {
      const address = serverOf(entry)?.address;
      if (address?.kind !== 'tcp') continue;
      const listener = (draft.listeners ?? []).findIndex((other) => isReached(other?.address, address));
      if (listener < 0) continue;
      const problem = `is listeners[${listener}] of this gateway: requests would go round`;
      warnings.push(problemAt(['upstreams', name, 'servers', at], problem, 'name the address of the site'));
    }
  }
}

/** Whether a connection to the address `to` on this machine reaches a listener at `from`. */
function isReached(
  from: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined,
  to: { readonly host: string; readonly port: number },
): boolean {
  if (from?.host === undefined || from.port !== to.port) return false;
  const host = to.host.toLowerCase();
  if (from.host === host) return true;
  return isLoopback(host) && (isLoopback(from.host) || from.host === '0.0.0.0' || from.host === '::');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function serverOf(entry: Draft<UpstreamFile['servers'][number]> | undefined): WrittenServer | null {
  if (entry === undefined) return null;
  const draft = 'weight' in entry || (!('isTls' in entry) && 'address' in entry) ? entry.address : entry;
  return isServer(draft) ? draft : null;
}

function isServer(draft: unknown): draft is WrittenServer {
  return typeof draft === 'object' && draft !== null && 'isTls' in draft && 'address' in draft;
}
