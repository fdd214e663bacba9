// Compares listeners with each other, with the routes and with the files that they name.
// Works on a draft, like references.ts, which calls it. Reads files, changes none.

import { existsSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { hostPatternsMeet, isWildcardHost } from '../../core/model/host-pattern.ts';
import { certificateNames, readAuthorities, readCertificate } from '../files/certificates.ts';
import { worldReadableWarning } from '../files/named-file.ts';
import { type Problem, type ProblemPath, pathText, problemAt } from '../problems/problem.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';

type ListenerDraft = NonNullable<NonNullable<Draft<ConfigFile>['listeners']>[number]>;

/** Finds addresses that collide, settings that exclude each other, and credentials that would cross a network in plain text. */
export function checkListeners(draft: Draft<ConfigFile>, problems: Problem[], warnings: Problem[]): void {
  const taken: { host: string; port: number; at: string }[] = [];
  const listeners = draft.listeners ?? [];
  for (const [at, listener] of listeners.entries()) {
    if (listener === undefined) continue;
    const path = ['listeners', at, 'address'];
    checkAddress(path, listener.address, taken, problems);
    checkKind(listener, at, problems);
    checkClientCertificates(draft, listener, at, warnings);
    const host = listener.address?.host;
    // a listener that only redirects accepts no credential, so it exposes none
    const isPlain = listener.tls === undefined && !isRedirect(listener);
    if (host === undefined || isLoopback(host) || !isPlain) continue;
    warnings.push(
      problemAt(
        path,
        'tokens and passwords cross the network in plain text',
        'add tls, or listen on 127.0.0.1 behind something that ends TLS',
      ),
    );
  }
  const path = ['operations', 'address'];
  checkAddress(path, draft.operations?.address, taken, problems);
  const host = draft.operations?.address?.host;
  if (host === undefined || isLoopback(host)) return;
  warnings.push(
    problemAt(
      path,
      'metrics and health are served beyond this machine',
      'use 127.0.0.1, or keep the port behind a firewall',
    ),
  );
}

/** Opens every file that a listener names. */
export function checkListenerFiles(
  draft: Draft<ConfigFile>,
  absolute: (path: string) => string,
  problems: Problem[],
  warnings: Problem[],
): void {
  for (const [at, listener] of (draft.listeners ?? []).entries()) {
    for (const [place, files] of (listener?.tls?.certificates ?? []).entries()) {
      if (files?.cert_file === undefined || files.key_file === undefined) continue;
      const path = ['listeners', at, 'tls', 'certificates', place];
      const keyFile = absolute(files.key_file);
      const read = readCertificate({ certFile: absolute(files.cert_file), keyFile });
      if (read.kind === 'refused') {
        // a key that is missing as well is said at once, and not only after the certificate was found
        if (read.file === 'certificate' && !existsSync(keyFile)) {
          const hint = 'name the key that was made with the certificate';
          problems.push(problemAt([...path, 'key_file'], `${keyFile} does not exist`, hint));
        }
        problems.push(problemAt([...path, read.file === 'key' ? 'key_file' : 'cert_file'], read.problem, read.hint));
        continue;
      }
      if (read.worldReadable) warnings.push(worldReadableWarning([...path, 'key_file'], keyFile));
      if (read.dateProblem !== null) {
        warnings.push(problemAt([...path, 'cert_file'], read.dateProblem, 'renew it, then reload'));
      }
    }
    warnUncertified(draft, at, absolute, warnings);
    const authorities = listener?.tls?.client_certificates?.ca_file;
    if (authorities === undefined) continue;
    const read = readAuthorities(absolute(authorities));
    if (read.kind === 'read') continue;
    problems.push(problemAt(['listeners', at, 'tls', 'client_certificates', 'ca_file'], read.problem, read.hint));
  }
}

/** Hosts of routes that no certificate of the listener names: browsers refuse to go on there. */
function warnUncertified(
  draft: Draft<ConfigFile>,
  at: number,
  absolute: (path: string) => string,
  warnings: Problem[],
): void {
  const certificates = draft.listeners?.[at]?.tls?.certificates;
  if (certificates === undefined) return;
  const names: string[] = [];
  for (const files of certificates) {
    if (files?.cert_file === undefined || files.key_file === undefined) return;
    const read = readCertificate({ certFile: absolute(files.cert_file), keyFile: absolute(files.key_file) });
    if (read.kind === 'refused') return;
    names.push(...certificateNames(read.cert));
  }
  const hosts = new Set<string>();
  for (const route of draft.routes ?? []) if (route?.host !== undefined) hosts.add(route.host);
  const portal = draft.portal?.public_url?.host;
  if (portal !== undefined) hosts.add(portal);
  for (const host of hosts) {
    if (ipaddr.isValid(host) || names.some((name) => certifies(name, host))) continue;
    const problem = `no certificate of this listener is for ${host}`;
    warnings.push(problemAt(['listeners', at, 'tls', 'certificates'], problem, `add one that names ${host}`));
  }
}

/** RFC 9525 §6.3: the wildcard of a certificate stands for exactly one label. */
function certifies(name: string, host: string): boolean {
  return name === host || (isWildcardHost(name) && host.slice(host.indexOf('.')) === name.slice(1));
}

function checkAddress(
  path: ProblemPath,
  address: ListenerDraft['address'],
  taken: { host: string; port: number; at: string }[],
  problems: Problem[],
): void {
  const { host, port } = address ?? {};
  if (host === undefined || port === undefined) return;
  const other = taken.find((known) => port !== 0 && known.port === port && overlaps(known.host, host));
  if (other !== undefined) {
    problems.push(
      problemAt(path, `port ${port} is taken by ${other.at} already`, 'give each listener its own address'),
    );
  }
  taken.push({ host, port, at: pathText(path) });
}

function checkKind(listener: ListenerDraft, at: number, problems: Problem[]): void {
  if (listener.tls === undefined || !isRedirect(listener)) return;
  const hint = 'redirect from a plain listener, like the one on port 80';
  problems.push(problemAt(['listeners', at, 'redirect_to_https'], 'this listener speaks https already', hint));
}

/** A host that needs a certificate on one listener must not be open on another one by an oversight. */
function checkClientCertificates(
  draft: Draft<ConfigFile>,
  listener: ListenerDraft,
  at: number,
  warnings: Problem[],
): void {
  const policy = listener.tls?.client_certificates;
  if (policy === undefined) return;
  const path = ['listeners', at, 'tls', 'client_certificates'];
  if (policy.hosts === undefined) {
    if (policy.mode !== 'required') return;
    for (const [other, open] of (draft.listeners ?? []).entries()) {
      if (open === undefined || isRedirect(open) || open.tls?.client_certificates !== undefined) continue;
      const problem = `listeners[${other}] serves the same hosts without a client certificate`;
      warnings.push(problemAt(path, problem, 'name the hosts that need one: they are refused elsewhere then'));
    }
    return;
  }
  const routed = (draft.routes ?? []).map((route) => route?.host);
  for (const [place, host] of policy.hosts.entries()) {
    if (host === undefined || routed.some((known) => known === undefined || hostPatternsMeet(known, host))) continue;
    warnings.push(problemAt([...path, 'hosts', place], `no route has the host ${host}`, 'look for a typing error'));
  }
}

function isRedirect(listener: ListenerDraft): boolean {
  return listener.redirect_to_https !== undefined && listener.redirect_to_https !== false;
}

function overlaps(one: string, other: string): boolean {
  return one === other || one === '::' || other === '::' || one === '0.0.0.0' || other === '0.0.0.0';
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
