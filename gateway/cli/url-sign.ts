// `latchkey url sign`: puts a token into URLs, in the path or in the query. Without `--paths` a token opens only what its URL names.
// The URL's own bytes stay as they are.

import type { Command } from 'commander';
import type { Config } from '../config/compiled/config.ts';
import { canonicalPath, canonicalPathKeepingSlashes, explainPath } from '../core/decision/route/path.ts';
import { usageError } from './command/command-error.ts';
import { requireConfig, requireKeyRing, requireSigner } from './command/load-config.ts';
import { printNote, printResult } from './command/terminal.ts';
import { type ClaimOptions, listOption, mintFromOptions, repeatedOption } from './token/claims.ts';

interface SignOptions extends ClaimOptions {
  readonly config: string;
  readonly in?: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** Adds `latchkey url sign` to the program. */
export function urlCommand(program: Command): void {
  const url = program.command('url').description('make signed URLs').helpCommand(false);
  url
    .command('sign')
    .description('put a token into URLs')
    .argument('<url...>', 'http(s) URLs, or paths that begin with /')
    .requiredOption('--config <file>', 'configuration whose common key signs')
    .option('--in <place>', 'query or path; default: path for playlists, whose segments inherit it, else query')
    .option('--ttl <duration>', 'how long they hold', '1h')
    .option('--sub <name>', 'who they are for')
    .option('--paths <pattern>', 'what they open, instead of what each URL names; repeatable', repeatedOption)
    .option('--methods <list>', 'methods they open; GET includes HEAD', listOption)
    .option('--hosts <list>', 'only these hosts', listOption)
    .option('--ips <list>', 'only from these addresses or CIDR blocks', listOption)
    .option('--aud <list>', 'audience, for routes that demand one', listOption)
    .option('--claims <json>', 'further claims, such as email')
    .option('--key <id>', 'sign with this key instead of the signing one')
    .option('--json', 'print [{url, signed, paths, expires}] as JSON')
    .addHelpText(
      'after',
      `
A playlist (.m3u8, .mpd) or a folder opens everything below its folder, any other URL exactly itself, for GET and HEAD.

Examples:
  latchkey url sign --config latchkey.yaml https://media.example.org/vod/film/index.m3u8
  latchkey url sign --config latchkey.yaml --in query --ttl 12h https://media.example.org/files/report.pdf`,
    )
    .action(async (urls: readonly string[], options: SignOptions) => {
      if (options.in !== undefined && options.in !== 'query' && options.in !== 'path') {
        throw usageError(`--in: unknown place ${JSON.stringify(options.in)}`, 'query or path');
      }
      const config = requireConfig(options.config);
      // all URLs are read before the first is signed, so that a bad URL leaves nothing half done
      const parts = urls.map((url) => ({ url, ...takeApart(url, config, options) }));
      const key = requireSigner(await requireKeyRing(config, { missing: 'make' }), options.key);
      const signed = parts.map((part) => {
        const paths = options.paths ?? [part.opens];
        const minted = mintFromOptions({ ...options, paths, methods: options.methods ?? ['GET'] }, key);
        return { url: part.url, signed: putIn(minted.token, part, config), paths, expires: minted.claims.exp };
      });
      for (const { url } of parts.filter(({ place, isPlaylist }) => isPlaylist && place === 'query')) {
        printNote(
          `the segments of ${url} do not inherit a token in the query, so most players stop there: leave out --in query`,
        );
      }
      printResult(options, signed, signed.map((entry) => entry.signed).join('\n'));
    });
}

interface UrlParts {
  /** Scheme and authority, `https://host:port`; empty for a bare path. */
  readonly origin: string;
  readonly path: string;
  /** With its `?`; may be empty. */
  readonly query: string;
  /** With its `#`; may be empty. */
  readonly fragment: string;
  /** Whether the URL names a list of further URLs, which players take relative to it. */
  readonly isPlaylist: boolean;
  /** Where the token goes. */
  readonly place: 'query' | 'path';
  /** Path pattern for the token's `paths`, in canonical form: the URL's path, or for a playlist or folder everything below the folder. */
  readonly opens: string;
}

function takeApart(url: string, config: Config, options: SignOptions): UrlParts {
  const match = /^(https?:\/\/[^/?#\s]+)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/i.exec(url);
  const origin = match?.[1] ?? '';
  if (match === null || url === '' || (origin === '' && match[2] === undefined)) {
    throw usageError(`${JSON.stringify(url)} is not an http(s) URL`, 'write https://host/path, or /path');
  }
  const path = match[2] ?? '/';
  const query = match[3] ?? '';
  const keepsSlashes = config.routes.some((route) => route.encodedSlash === 'keep');
  const canonical = keepsSlashes ? canonicalPathKeepingSlashes(path) : canonicalPath(path);
  if (canonical === null)
    throw usageError(`${JSON.stringify(url)} has ${explainPath(path)}`, 'no request can have such a path');
  const { parameter, pathPrefix } = config.tokens;
  if (canonical.startsWith(pathPrefix) || new URLSearchParams(query).has(parameter)) {
    throw usageError(`${JSON.stringify(url)} carries a token already`, 'sign the URL without it');
  }
  if (canonical.includes('*') && options.paths === undefined) {
    throw usageError(
      `${JSON.stringify(url)} has a star in its path, which would open more than itself`,
      'say what it opens: --paths',
    );
  }
  const isPlaylist = /\.(m3u8|mpd)$/i.test(canonical);
  const folder = canonical.slice(0, canonical.lastIndexOf('/') + 1);
  return {
    origin,
    path,
    query,
    fragment: match[4] ?? '',
    isPlaylist,
    place: options.in === 'query' || options.in === 'path' ? options.in : isPlaylist ? 'path' : 'query',
    opens: isPlaylist || canonical.endsWith('/') ? `${folder}*` : canonical,
  };
}

function putIn(token: string, { origin, path, query, fragment, place }: UrlParts, config: Config): string {
  // the prefix ends in a slash, and the path begins with one
  if (place === 'path') return `${origin}${config.tokens.pathPrefix}${token}${path}${query}${fragment}`;
  const joint = query === '' ? '?' : query.endsWith('?') || query.endsWith('&') ? '' : '&';
  return `${origin}${path}${query}${joint}${config.tokens.parameter}=${token}${fragment}`;
}
