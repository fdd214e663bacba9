// The style sheet, the tab's icon and the logo of the configuration. The same on every host, since pages of every host use them.
// The logo's bytes are the operator's own; an SVG is sent so that nothing in it runs.

import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { ControlContext } from '../../control/context/control-context.ts';
import { icon, styleSheet } from './style.ts';

const maxLogoBytes = 1024 * 1024;

export function serveAssets(server: FastifyInstance, context: ControlContext, prefix: string): void {
  server.get(`${prefix}portal.css`, (_request, reply) =>
    // its address carries its version
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
