// The presets of security headers. A line either replaces the site's own field, or is offered: then the site's own field stays.
// A line replaces a field only where no site has a reason for another value; otherwise the site knows its pages better than a preset.
// Sources: OWASP HTTP Headers Cheat Sheet, Fetch §3.7 (nosniff), HTML §7.1.3 (COOP), RFC 6797 §7.2 (HSTS on secure transport only).

export type SecurityPreset = 'off' | 'basic' | 'strict';

/** One header of a preset. */
interface PresetHeader {
  readonly name: string;
  readonly value: string;
  /** `gateway`: the site's own field is removed. `site`: the site's own field stays, and this line is not sent. */
  readonly winner: 'gateway' | 'site';
  /** Whether the header is sent only to clients that came over TLS. */
  readonly needsTls: boolean;
}

/** The headers of a preset, in the order they are sent. */
export function presetHeaders(preset: SecurityPreset): readonly PresetHeader[] {
  switch (preset) {
    case 'off':
      return [];
    case 'basic':
      return basic;
    case 'strict':
      return strict;
    default:
      return preset satisfies never;
  }
}

const noSniff: PresetHeader = { name: 'X-Content-Type-Options', value: 'nosniff', winner: 'gateway', needsTls: false };

const basic: readonly PresetHeader[] = [
  noSniff,
  offered('Referrer-Policy', 'strict-origin-when-cross-origin'),
  offered('X-Frame-Options', 'SAMEORIGIN'),
];

const strict: readonly PresetHeader[] = [
  noSniff,
  offered('Referrer-Policy', 'strict-origin-when-cross-origin'),
  offered('X-Frame-Options', 'DENY'),
  offered('Cross-Origin-Opener-Policy', 'same-origin'),
  offered('Cross-Origin-Resource-Policy', 'same-origin'),
  offered(
    'Content-Security-Policy',
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
  ),
  offered('Permissions-Policy', 'camera=(), geolocation=(), microphone=()'),
  // without includeSubDomains and preload, since a route cannot decide for other hosts
  { ...offered('Strict-Transport-Security', 'max-age=31536000'), needsTls: true },
];

function offered(name: string, value: string): PresetHeader {
  return { name, value, winner: 'site', needsTls: false };
}
