// Whether visitors come by https, as far as the configuration says. It is compiled once, and no request can weaken it.
// Cookies without Secure are set only over loopback, and only where the configuration does not say https: browsers drop Secure cookies
// that come over plain HTTP.

export interface PublicTransport {
  /** `portal.public_url` is https. Then all hosts are, since visitors reach all of them in the same way. */
  readonly isHttps: boolean;
  /** latchkey's cookies are Secure in every request: visitors come by https, or there is no portal and some listener ends TLS. */
  readonly securesCookies: boolean;
  /** The configuration does not say how visitors come: it has no portal and no listener with TLS. */
  readonly isUnsaid: boolean;
}

/**
 * @param publicUrl  `portal.public_url`; null without a portal
 * @param endsTls    whether some listener ends TLS
 */
export function publicTransport(publicUrl: string | null, endsTls: boolean): PublicTransport {
  const isHttps = publicUrl?.startsWith('https:') === true;
  return { isHttps, securesCookies: publicUrl === null ? endsTls : isHttps, isUnsaid: publicUrl === null && !endsTls };
}

/**
 * Whether latchkey's cookies have Secure and, except passes, `__Host-` in their names. Cookies under the other name do not count: a
 * site under the same domain can set a cookie with a plain name, but none that begins with `__Host-`.
 *
 * @param isOverTls    the request came to a listener with TLS, or a trusted proxy says https
 * @param peerAddress  peer address of the connection; an IPv4-mapped IPv6 address as IPv4
 */
export function isSecureCookie(transport: PublicTransport, isOverTls: boolean, peerAddress: string): boolean {
  return transport.securesCookies || isOverTls || !(peerAddress === '::1' || peerAddress.startsWith('127.'));
}
