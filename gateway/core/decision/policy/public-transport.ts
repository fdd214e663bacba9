// What the configuration says of how visitors come: by https or not. Compiled once, and nothing that a request brings makes it less.
// Cookies without Secure go only over loopback, and only where nothing says https: browsers drop Secure cookies of plain HTTP there.

export interface PublicTransport {
  /** `portal.public_url` is https, and so is every host, since visitors come to all of them by the same way. */
  readonly isHttps: boolean;
  /** Cookies of ours are Secure in every request: visitors come by https, or, without a portal, some listener ends TLS. */
  readonly securesCookies: boolean;
  /** Nothing says how visitors come: no portal, no listener with TLS. */
  readonly isUnsaid: boolean;
}

/**
 * @param publicUrl  of the portal; null without one
 * @param endsTls    some listener does
 */
export function publicTransport(publicUrl: string | null, endsTls: boolean): PublicTransport {
  const isHttps = publicUrl?.startsWith('https:') === true;
  return { isHttps, securesCookies: publicUrl === null ? endsTls : isHttps, isUnsaid: publicUrl === null && !endsTls };
}

/**
 * Whether our cookies carry Secure and, but for passes, `__Host-` in their names. Only cookies by the name that is in force count: a
 * site under the same domain can set a plain name, but none that begins with `__Host-`.
 *
 * @param isOverTls    the request came to a listener with TLS, or a trusted proxy says https
 * @param peerAddress  of the connection; IPv4-mapped IPv6 folded
 */
export function isSecureCookie(transport: PublicTransport, isOverTls: boolean, peerAddress: string): boolean {
  return transport.securesCookies || isOverTls || !(peerAddress === '::1' || peerAddress.startsWith('127.'));
}
