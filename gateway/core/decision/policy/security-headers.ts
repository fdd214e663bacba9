// The presets of security headers. Each line is either ours (the site's own field goes) or offered (the site's own stays).
// Ours is only what no site has a reason to say otherwise; for the rest the site knows its pages better than a preset.
// Sources: OWASP HTTP Headers Cheat Sheet, Fetch §3.7 (nosniff), HTML §7.1.3 (COOP), RFC 6797 §7.2 (HSTS on secure transport only).

export type SecurityPreset = 'off' | 'basic' | 'strict';

/** One header of a preset. */
interface PresetHeader {
  readonly name: string;
  readonly value: string;
  /** `gateway`: the site's own field is removed. `site`: the site's own field stands, and this one is not sent. */
  readonly winner: 'gateway' | 'site';
  /** Sent to clients that came over TLS only. */
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
  // without includeSubDomains and preload: what other hosts speak is not this route's to say
  { ...offered('Strict-Transport-Security', 'max-age=31536000'), needsTls: true },
];

function offered(name: string, value: string): PresetHeader {
  return { name, value, winner: 'site', needsTls: false };
}
