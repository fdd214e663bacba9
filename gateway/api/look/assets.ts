// Serves the style sheet, the icons, the configured logo, the pictures of collections and robots.txt. They are served on every host, since pages of every host use them.
// The operator chooses logo and pictures; a strict policy makes sure that no script in an SVG runs.

import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { collectionNamed } from '../../control/access/collections.ts';
import type { ControlContext } from '../../control/context/control-context.ts';
import { tabIconOf, touchIconOf } from './icons.ts';
import { icon, styleSheet } from './style.ts';

const maxPictureBytes = 1024 * 1024;

/** Adds the files to the server, below the reserved prefix. A picture is 404 when it is not configured, missing, over 1 MiB or of another kind. */
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
  server.get(`${prefix}apple-touch-icon.png`, async (_request, reply) =>
    sendIcon(reply, 'image/png', touchIconOf(await pngLogo(context))),
  );
  server.get(`${prefix}favicon.ico`, async (_request, reply) =>
    sendIcon(reply, 'image/x-icon', tabIconOf(await pngLogo(context))),
  );
  // sign-in pages and links are nothing for search engines (RFC 9309)
  server.get(`${prefix}robots.txt`, (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=86400')
      .type('text/plain; charset=utf-8')
      .send('User-agent: *\nDisallow: /\n'),
  );
  server.get(`${prefix}logo`, async (_request, reply) => {
    const file = context.config().portal?.logoFile ?? null;
    return sendPicture(reply, file);
  });
  server.get(`${prefix}pictures/:collection`, async (request, reply) => {
    const { collection } = pictureParams.parse(request.params);
    return sendPicture(reply, collectionNamed(context.config(), collection)?.pictureFile ?? null);
  });
}

function sendIcon(reply: FastifyReply, type: string, bytes: Buffer): FastifyReply {
  return reply
    .header('cache-control', 'public, max-age=86400')
    .header('content-security-policy', stillPicture)
    .type(type)
    .send(bytes);
}

/** The configured logo where it is a PNG, whole up to its measures. */
async function pngLogo(context: ControlContext): Promise<Buffer | null> {
  const file = context.config().portal?.logoFile ?? null;
  const bytes = file === null ? null : await readFile(file).catch(() => null);
  if (bytes === null || bytes.length < 24 || bytes.length > maxPictureBytes) return null;
  return pictureType(bytes) === 'image/png' ? bytes : null;
}

const pictureParams = z.object({ collection: z.string() });

async function sendPicture(reply: FastifyReply, file: string | null): Promise<unknown> {
  const bytes = file === null ? null : await readFile(file).catch(() => null);
  const type = bytes === null || bytes.length > maxPictureBytes ? null : pictureType(bytes);
  if (type === null) return reply.callNotFound();
  return reply
    .header('cache-control', 'public, max-age=3600')
    .header('content-security-policy', stillPicture)
    .type(type)
    .send(bytes);
}

const stillPicture = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/** The media type by the first bytes of a file, which say more than its name; null for a file that is no picture of these kinds. */
function pictureType(bytes: Buffer): string | null {
  const start = bytes.toString('latin1', 0, 512);
  if (start.startsWith('\x89PNG')) return 'image/png';
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'image/webp';
  return /^(?:\xef\xbb\xbf)?[ \t\r\n]*<(?:svg|\?xml|!--|!DOCTYPE svg)/i.test(start) ? 'image/svg+xml' : null;
}
