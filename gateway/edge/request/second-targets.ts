// Reads the fields of a request that name a second resource, has each judged, and writes them anew in their canonical form:
// `Destination` and the tags of `If` (WebDAV), and what object stores copy from. A request with one that is not opened goes
// nowhere. Nobody else writes these fields: `originFor` makes the visitor's origin the upstream's.
// Rules: RFC 4918 §10.3 (Destination), §10.4.2 (If); RFC 3986 §4.3.

import type { Permit } from '../../core/decision/decide.ts';
import { hasOtherBelow, isScoped, judgeSecondTarget } from '../../core/decision/judge-second-target.ts';
import { foldName } from '../../core/decision/policy/identity.ts';
import { hasTargetInBody } from '../../core/decision/policy/target-headers.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { Described } from './describe.ts';
import { requestClass } from './field-classes.ts';
import { visitorOrigin } from './visitor-origin.ts';

/** What is looked at beside the fields themselves. */
interface Judging {
  readonly request: Described;
  readonly permit: Permit;
  readonly snapshot: Snapshot;
  /** Of the listener. */
  readonly scheme: 'http' | 'https';
}

/**
 * @returns complete lines for the upstream, in place of what the client sent; a denial when one of them names what the
 *   request's own credential does not open
 */
export function secondTargetLines(judging: Judging): string | Denial {
  const { permit } = judging;
  const { head } = judging.request;
  if (hasTargetInBody(head.method) && isScoped(permit) && !namesMethods(permit)) {
    return deny(
      'second-target',
      permit.route,
      'the body names a resource, and neither token nor route names the method',
    );
  }
  const removed = permit.route.request?.removed;
  let lines = '';
  let destinations = 0;
  let conditions = 0;
  for (let index = 0; index < head.fieldCount; index++) {
    const found = head.fields[index * fieldStride] as number;
    // what the route takes away, or says itself, reaches nobody
    if (found >= requestClass.destination && removed?.has(foldName(head.nameOf(index)))) continue;
    let written: Written;
    if (found === requestClass.destination) {
      written = ++destinations > 1 ? refused('two of them') : writeDestination(head.valueOf(index), judging);
    } else if (found === requestClass.ifLists) {
      written = ++conditions > 1 ? refused('two of them') : writeCondition(head.valueOf(index), judging);
    } else if (found === requestClass.copySource) {
      written = checkCopySource(head.valueOf(index), judging);
    } else continue;
    const name = head.nameOf(index);
    if (written.kind === 'refused') {
      return deny('second-target', permit.route, `${name}: ${written.detail}`);
    }
    lines += `${name}: ${written.value}\r\n`;
  }
  return lines;
}

/** Whether somebody said which methods there are, this one among them. */
function namesMethods({ route, token, claims }: Permit): boolean {
  return route.methods !== null || (token !== null && token.scope.methods !== null) || claims?.methods !== undefined;
}

type Written =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'refused'; readonly detail: string };

function refused(detail: string): Written {
  return { kind: 'refused', detail };
}

/** Absolute URL or absolute path, without query: what RFC 4918 §10.3 calls a Simple-ref, as far as clients send them. */
const simpleRef = /^(?:(https?):\/\/([^/?#\\]+))?(\/[^?#]*)?$/i;

function writeDestination(value: string, judging: Judging): Written {
  const { request, permit, snapshot } = judging;
  if (hasOtherBelow(request.path, permit, request, snapshot))
    return refused('another route lies below the request’s path');
  return writeRef(value, judging, 'tree');
}

function writeRef(ref: string, judging: Judging, reach: 'one' | 'tree'): Written {
  const match = simpleRef.exec(ref);
  if (match === null || ref === '') return refused('neither an absolute URL nor an absolute path');
  const [, scheme = '', authority = '', path = '/'] = match;
  if (authority !== '' && !isOwnAuthority(scheme, authority, judging)) return refused('it names another host');
  const { request, permit, snapshot } = judging;
  const judged = judgeSecondTarget(path, permit, request, snapshot, reach);
  if (judged.kind === 'refused') return judged;
  return { kind: 'value', value: originFor(scheme, authority, judging) + judged.path };
}

/**
 * The origin that the upstream reads in front of a canonical path: what it speaks, and the Host that it gets, with which servers
 * compare it (RFC 4918 §9.8.5: 502 for another server). The visitor's own where addresses are the site's affair.
 *
 * @param scheme     as the client wrote it
 * @param authority  of the same, found to be the visitor's own; empty for a path alone, which stays one
 */
function originFor(scheme: string, authority: string, { request, permit }: Judging): string {
  if (authority === '') return '';
  const { site, upstreamName } = permit.route;
  if (site === null) return `${scheme.toLowerCase()}://${authority}`;
  return `${site.scheme}://${request.head.host === '' ? upstreamName : request.head.host}`;
}

/** Whether host and port are those that the request came to, or was sent to at a trusted proxy. */
function isOwnAuthority(scheme: string, authority: string, { request, scheme: listener }: Judging): boolean {
  const host = canonicalHost(authority);
  if (host === null) return false;
  const visitor = visitorOrigin(request, listener);
  const own = visitor.scheme;
  return [request.head.host, visitor.authority].some((name) => {
    if (canonicalHost(name) !== host) return false;
    const [asked, came] = [portOf(authority), portOf(name)];
    // TLS may end in front of us, unknown to us: without a port both mean the site's usual one
    if (asked === '' && came === '') return true;
    return (asked || usualPort(scheme)) === (came || usualPort(own));
  });
}

function portOf(authority: string): string {
  return /:(\d+)$/.exec(authority)?.[1] ?? '';
}

function usualPort(scheme: string): string {
  return scheme.toLowerCase() === 'https' ? '443' : '80';
}

/** `If`: lists in parentheses, each group of them behind the resource that it is about, or about the request's own. */
function writeCondition(value: string, judging: Judging): Written {
  let written = '';
  for (let at = 0; at < value.length; ) {
    const character = value.charAt(at);
    if (character === ' ' || character === '\t') {
      written += character;
      at++;
    } else if (character === '(') {
      const end = endOfList(value, at + 1);
      if (end < 0) return refused('a list that does not end');
      written += value.slice(at, end);
      at = end;
    } else if (character === '<') {
      const end = value.indexOf('>', at);
      const ref = end < 0 ? refused('a tag that does not end') : writeRef(value.slice(at + 1, end), judging, 'one');
      if (ref.kind === 'refused') return ref;
      written += `<${ref.value}>`;
      at = end + 1;
    } else return refused('something between its lists');
  }
  return { kind: 'value', value: written };
}

/** @returns the offset behind the parenthesis that ends the list; state tokens and entity tags may hold one */
function endOfList(value: string, start: number): number {
  for (let at = start; at >= start && at < value.length; at++) {
    const character = value.charAt(at);
    if (character === ')') return at + 1;
    if (character === '(') return -1;
    if (character === '<') at = value.indexOf('>', at);
    else if (character === '"') at = value.indexOf('"', at + 1);
    if (at < 0) return -1;
  }
  return -1;
}

const copySource = /^(?:(https?):\/\/([^/?#\\]+))?\/?([^?#]*)(?:\?[^#]*)?$/i;

/** Signed by many clients, so it goes on as it came or not at all; and names a bucket, which only a scope of paths says something about. */
function checkCopySource(value: string, judging: Judging): Written {
  const { request, permit, snapshot } = judging;
  if (!isScoped(permit)) return { kind: 'value', value };
  const match = copySource.exec(value);
  if (match === null) return refused('no path');
  const [, scheme = '', authority = '', rest = ''] = match;
  if (authority !== '' && !isOwnAuthority(scheme, authority, judging)) return refused('it names another host');
  const judged = judgeSecondTarget(`/${rest}`, permit, request, snapshot, 'one');
  return judged.kind === 'refused' ? judged : { kind: 'value', value };
}
