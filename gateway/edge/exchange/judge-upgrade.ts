// Whether an allowed request may leave HTTP: is the handshake sound, and did a page of this site ask for it?
// Browsers let any page open a WebSocket to any site, and send that site's cookies along; only Origin tells whose page it was.
// A token in the header, the path or the query is different: a foreign page would have to know it. What counts is where the
// credential stood that decided, and not what else came along.
// Rules: RFC 6455 §10.2, §4.2.2; RFC 9110 §7.8.

import type { Permit } from '../../core/decision/decide.ts';
import type { RoutePolicy, UpgradePolicy } from '../../core/decision/state/snapshot.ts';
import { type Denial, deny } from '../../core/decision/verdict/denial.ts';
import type { MessageProblem } from '../../http1/problems.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { onlyValue, readUpgrade, type Upgrade } from '../../http1/upgrade.ts';
import type { ConnectionInfo } from '../listen/connection-info.ts';
import type { Described } from '../request/describe.ts';
import { publicScheme } from '../request/transport-security.ts';

/** Protocols that may be asked for on a route whose configuration names none. */
const usualProtocols: readonly string[] = ['websocket'];

/** How the connection came in. */
type UpgradeConnection = Pick<ConnectionInfo, 'scheme' | 'certificate'>;

/**
 * @returns null for an ordinary request; a problem or a denial when the request must not be forwarded at all
 */
export function judgeUpgrade(
  request: Described,
  permit: Permit,
  connection: UpgradeConnection,
): Upgrade | MessageProblem | Denial | null {
  const policy = permit.route.upgrade;
  if (policy === null) return null;
  const upgrade = readUpgrade(request.head, policy.protocols);
  if (upgrade === null || typeof upgrade === 'string') return upgrade;
  return isWelcome(request, permit, policy, connection) ? upgrade : foreignOrigin(permit.route);
}

/** Whether the page that asks may use the credential that allowed the request. */
export function isWelcome(
  request: Described,
  permit: Permit,
  policy: UpgradePolicy,
  { scheme, certificate }: UpgradeConnection,
): boolean {
  const hasCertificate = certificate !== null;
  const { place } = permit;
  const isCookie = place === 'pass-cookie' || place === 'session-cookie';
  // Browsers also repeat a password and show a client certificate by themselves, and always send Origin. Programs have no reason to
  // send Origin.
  if (!isCookie && place !== 'basic' && !(place === 'nowhere' && hasCertificate)) return true;
  const said = saidOrigin(request.head);
  if (said === null) return !isCookie;
  const origin = canonicalOrigin(said);
  if (origin === null) return false;
  const ownScheme = publicScheme(request, scheme);
  return origin === canonicalOrigin(`${ownScheme}://${request.head.host}`) || policy.origins.includes(origin);
}

/** Whether bytes behind this head may belong to another protocol: they must not be read as a request after a refusal. */
export function mayBeUpgrade(head: RequestHead, route: RoutePolicy | null): boolean {
  return head.hasUpgrade && readUpgrade(head, route?.upgrade?.protocols ?? usualProtocols) !== null;
}

/** Lines that ask the upstream for the same; the client's own went with the other hop-by-hop fields. */
export function upgradeLines(upgrade: Upgrade): string {
  return `Connection: Upgrade\r\nUpgrade: ${upgrade.protocol}\r\n`;
}

/** @returns null without the field; empty when the field stands there twice */
function saidOrigin(head: RequestHead): string | null {
  const value = onlyValue(head, 'origin');
  if (value !== null) return value;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.nameOf(index).toLowerCase() === 'origin') return '';
  }
  return null;
}

/** Lower case, without the scheme's own port; null for `null` and for what is no origin of the web. */
function canonicalOrigin(text: string): string | null {
  const match = /^(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?$/.exec(text.toLowerCase());
  if (match === null) return null;
  const [, scheme = '', host = '', port = ''] = match;
  const isUsual = port === '' || port === (scheme === 'https' ? '443' : '80');
  return `${scheme}://${host}${isUsual ? '' : `:${port}`}`;
}

function foreignOrigin(route: RoutePolicy): Denial {
  const detail = 'the Origin of the upgrade is neither the request’s host nor on the list of the route';
  return deny('foreign-origin', route, detail);
}
