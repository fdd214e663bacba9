// Compares the control plane's sections with each other and with the routes. It finds, for example, a collection that no route
// serves, mail settings without a transport, and a portal that shares its host with a site.

import { isLoopbackHost } from '../../core/decision/route/host.ts';
import { hostPatternsMeet, isWildcardHost, matchesHost } from '../../core/model/host-pattern.ts';
import { parseSender } from '../../core/model/mailbox.ts';
import { type Problem, problemAt } from '../problems/problem.ts';
import { secretWarnings } from '../problems/secret-form.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';
import { readSmtpUrl } from '../schema/smtp-url.ts';

/** Appends errors to the problems, and what is allowed but unwise to the warnings. */
export function checkControl(draft: Draft<ConfigFile>, problems: Problem[], warnings: Problem[]): void {
  checkUrls(draft, warnings);
  checkMail(draft, problems, warnings);
  checkCollections(draft, problems, warnings);
  checkPortal(draft, problems, warnings);
  checkSharing(draft, warnings);
  const { links } = draft;
  const own = [links?.key_parameter, links?.token_parameter, draft.tokens?.parameter];
  if (links !== undefined && new Set(own).size < own.length)
    problems.push(problemAt(['links'], 'two of our parameters have one name', 'give each its own'));
}

/** Warns of a blank at an end of a URL that holds a password: it is most likely an accident. The URL is not repeated. */
function checkUrls({ store, mail }: Draft<ConfigFile>, warnings: Problem[]): void {
  const values = [
    [['store'], store?.kind === 'postgres' ? store.url : undefined],
    [['mail', 'smtp'], mail?.smtp],
    [['mail', 'webhook'], mail?.webhook],
  ] as const;
  for (const [path, value] of values) {
    if (typeof value === 'string') warnings.push(...secretWarnings(path, null, Buffer.from(value), 'as-it-stands'));
  }
}

function checkMail({ mail }: Draft<ConfigFile>, problems: Problem[], warnings: Problem[]): void {
  if (mail === undefined) return;
  if (mail.from !== undefined && parseSender(mail.from) === null) {
    problems.push(problemAt(['mail', 'from'], 'is not a sender', 'write latchkey <keys@example.org>'));
  }
  if (mail.smtp !== undefined) {
    // the value may hold a password: it is not repeated
    const read = readSmtpUrl(mail.smtp);
    if (read.kind === 'refused') problems.push(problemAt(['mail', 'smtp'], read.problem, read.hint));
    else if (read.server.tls === 'offered') {
      const hint = 'drop ?starttls=offered when the server has TLS';
      warnings.push(problemAt(['mail', 'smtp'], 'mails with working links may travel without TLS', hint));
    }
  }
  const ways = (['smtp', 'webhook', 'log'] as const).filter((way) => mail[way] !== undefined);
  if (ways.length !== 1) {
    const problem = ways.length === 0 ? 'no way to send is named' : `${ways.join(' and ')} are two ways to send`;
    problems.push(problemAt(['mail'], problem, 'name one of smtp, webhook, log'));
  }
  if (mail.webhook !== undefined && mail.webhook_secret_file === undefined)
    problems.push(problemAt(['mail', 'webhook_secret_file'], 'is missing', 'the receiver knows our messages by it'));
  if (mail.webhook === undefined && mail.webhook_secret_file !== undefined)
    problems.push(problemAt(['mail', 'webhook_secret_file'], 'goes with webhook only', 'drop it'));
  if (mail.log !== undefined)
    warnings.push(problemAt(['mail', 'log'], 'nothing is sent; the file holds links that work', 'use smtp or webhook'));
}

function checkCollections(draft: Draft<ConfigFile>, problems: Problem[], warnings: Problem[]): void {
  const names = new Map<string, number>();
  for (const [at, collection] of (draft.collections ?? []).entries()) {
    if (collection?.name === undefined) continue;
    const first = names.get(collection.name);
    if (first !== undefined) {
      const problem = `collection name ${JSON.stringify(collection.name)} is taken by collections[${first}]`;
      problems.push(problemAt(['collections', at, 'name'], problem, 'links name their collection; give each its own'));
    } else names.set(collection.name, at);
    const { host, path } = collection;
    if (host === undefined || path === undefined) continue;
    const isServed = (draft.routes ?? []).some(
      (route) =>
        route?.accept?.includes('member') === true &&
        (route.host === undefined || matchesHost(route.host, host)) &&
        route.path !== undefined &&
        (path.startsWith(route.path) || route.path.startsWith(path)),
    );
    if (!isServed) {
      const hint = 'let a route with this host and path accept member';
      warnings.push(problemAt(['collections', at], 'no route lets members in', hint));
    }
    checkRoutesOf({ host, path }, at, draft, warnings);
  }
  if ((draft.collections ?? []).length > 0 && draft.portal === undefined)
    problems.push(problemAt(['portal'], 'is missing', 'owners and members sign in there: portal: { public_url: … }'));
}

/** The routes that serve a collection: every route inside its folder, and the one enclosing route that its other requests match. */
function checkRoutesOf(
  { host, path }: { readonly host: string; readonly path: string },
  at: number,
  draft: Draft<ConfigFile>,
  warnings: Problem[],
): void {
  const routes = (draft.routes ?? []).flatMap((route, place) =>
    route?.path === undefined || (route.host !== undefined && route.host !== host)
      ? []
      : [{ place, path: route.path, host: route.host, accept: route.accept ?? [] }],
  );
  const around = routes
    .filter((route) => path.startsWith(route.path))
    // routes of the host go before those of any host, and longer ones before shorter ones
    .sort((a, b) => Number(b.host !== undefined) - Number(a.host !== undefined) || b.path.length - a.path.length);
  const inside = routes.filter((route) => route.path !== path && route.path.startsWith(path));
  for (const route of [...around.slice(0, 1), ...inside]) {
    const place = ['routes', route.place, 'accept'];
    if (route.accept.some((kind) => kind === 'session')) {
      const hint = 'drop session there to keep it for members; leave it if every account may open the collection';
      warnings.push(problemAt(place, `lets any account into collections[${at}]`, hint));
    }
    if (inside.includes(route) && !route.accept.some((kind) => kind === 'member')) {
      // the edge recognises a link's token only on routes that accept members
      const problem = `is inside collections[${at}], and a link opened there would reach the site with its token`;
      warnings.push(problemAt(place, problem, 'add member there'));
    }
  }
}

function checkPortal(draft: Draft<ConfigFile>, problems: Problem[], warnings: Problem[]): void {
  const { host, publicUrl } = draft.portal?.public_url ?? {};
  if (host === undefined || publicUrl === undefined) return;
  checkPublicScheme({ host, isHttps: publicUrl.startsWith('https:') }, draft, problems, warnings);
  if (draft.mail === undefined) {
    const problem = 'nothing can be sent: no invitations, no forgotten passwords';
    warnings.push(problemAt(['mail'], problem, 'name a way, like mail: { from: …, smtp: … }'));
  }
  checkSignInHosts(draft, warnings);
  const at = (draft.routes ?? []).findIndex((route) => route?.host === host);
  if (at < 0) return;
  const problem = `shares its host with routes[${at}]`;
  const hint = 'scripts of that site could act for whoever is signed in; give the portal a host of its own';
  warnings.push(problemAt(['portal', 'public_url'], problem, hint));
}

/** Shares go by mail, so a file that sets bounds for them and names no way to send asks for something that never happens. */
function checkSharing({ sharing, mail, portal, accounts }: Draft<ConfigFile>, warnings: Problem[]): void {
  if (sharing === undefined) return;
  if (portal === undefined)
    warnings.push(problemAt(['sharing'], 'nobody can share a key without portal', 'people sign in there to share'));
  if (mail === undefined)
    warnings.push(
      problemAt(['sharing'], 'sharing is refused without mail', 'name a way, like mail: { from: …, smtp: … }'),
    );
  if (sharing.invite === 'domains' && accounts?.domains?.length === 0) {
    const hint = 'list the domains in accounts.domains, or write anyone or known';
    warnings.push(
      problemAt(['sharing', 'invite'], 'accounts.domains is empty, so a key can be shared with nobody', hint),
    );
  }
}

/** The scheme of `portal.public_url` is assumed for every request, so a listener or a proxy in front has to provide it. */
function checkPublicScheme(
  { host, isHttps }: { readonly host: string; readonly isHttps: boolean },
  draft: Draft<ConfigFile>,
  problems: Problem[],
  warnings: Problem[],
): void {
  const path = ['portal', 'public_url'];
  if (isHttps && !endsTls(draft) && !trustsProxies(draft)) {
    const problem = 'says https, but no listener here ends TLS and no proxy is trusted that does';
    const hint = 'give a listener tls, or name the proxy that ends TLS in trusted_proxies';
    problems.push(problemAt(path, problem, hint));
  }
  if (isHttps || isLoopbackHost(host)) return;
  const problem = `says http, and ${host} is no name of this machine: sign-ins cross the network in plain text, or fail`;
  warnings.push(
    problemAt(path, problem, 'write https://; http is for trying things out, like http://portal.localhost:8080'),
  );
}

/** A value that cannot be read counts as present: the schema reports what is wrong with it. */
function endsTls({ listeners }: Draft<ConfigFile>): boolean {
  return listeners?.some((listener) => listener === undefined || listener.tls !== undefined) ?? true;
}

function trustsProxies(draft: Draft<ConfigFile>): boolean {
  return (draft.trusted_proxies ?? []).length > 0;
}

/** A sign-in returns people only to hosts that the configuration names, never to a host that merely stood in a request. */
function checkSignInHosts(draft: Draft<ConfigFile>, warnings: Problem[]): void {
  const listed = draft.portal?.hosts ?? [];
  // a host that another route names belongs to that route
  const named = [...listed, ...(draft.collections ?? []).map((collection) => collection?.host)];
  const routed = (draft.routes ?? []).map((route) => route?.host);
  for (const [at, route] of (draft.routes ?? []).entries()) {
    const signsIn = route?.accept?.some((kind) => kind === 'session' || kind === 'member') === true;
    if (!signsIn || (route.host !== undefined && !isWildcardHost(route.host))) continue;
    if (named.some((host) => host !== undefined && meets(host, route.host))) continue;
    const what = route.host === undefined ? 'it names no host' : 'a wildcard names no host';
    const hint = 'give the route a host, or name its hosts in portal.hosts';
    warnings.push(problemAt(['routes', at], `people who sign in cannot be sent back here: ${what}`, hint));
  }
  for (const [at, host] of listed.entries()) {
    if (host === undefined) continue;
    const path = ['portal', 'hosts', at];
    if (!routed.some((known) => meets(host, known)))
      warnings.push(problemAt(path, `no route has the host ${host}`, 'look for a typing error'));
    if (!isWildcardHost(host)) continue;
    const problem = `sign-ins are sent to every name below ${host.slice(2)}, also to one whose DNS somebody else controls`;
    warnings.push(problemAt(path, problem, 'name the hosts one by one'));
  }
}

/** Whether two hosts or wildcards have a name in common; undefined is a route for every host. */
function meets(host: string, known: string | undefined): boolean {
  return known === undefined || hostPatternsMeet(host, known);
}
