// Serves the style sheet, the tab's icon and the configured logo. They are served on every host, since pages of every host use them.
// The operator chooses the logo; a strict policy makes sure that no script in an SVG runs.

import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { ControlContext } from '../../control/context/control-context.ts';
import { icon, styleSheet } from './style.ts';

const maxLogoBytes = 1024 * 1024;

/** Adds the three files to the server, below the reserved prefix. The logo is 404 when it is not configured, missing or over 1 MiB. */
export function serveAssets(server: FastifyInstance, context: ControlContext, prefix: string): void {
  server.get(`${prefix}portal.css`, (_request, reply) =>
    // cached for a year: its address carries the version of its content
    reply
      .header('cache-control', 'public, max-age=31536000, immutable')
      .type('text/css; charset=utf-8')
      .send(styleSheet),
  );
  server.get(`${prefix}icon.svg`, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=86400')
      .header('content-security-policy', stillPicture)
      .type('image/svg+xml')
      .send(icon),
  );
  server.get(`${prefix}logo`, async (_request, reply) => {
    const file = context.config().portal?.logoFile ?? null;
    const bytes = file === null ? null : await readFile(file).catch(() => null);
    if (bytes === null || bytes.length > maxLogoBytes) return reply.callNotFound();
    return reply
      .header('cache-control', 'public, max-age=3600')
      .header('content-security-policy', stillPicture)
      .type(pictureType(bytes))
      .send(bytes);
  });
}

const stillPicture = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

function pictureType(bytes: Buffer): string {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) return 'image/png';
  return 'image/svg+xml';
}
