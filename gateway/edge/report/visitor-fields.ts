// What an access line says of a request's own fields: User-Agent as it came, Referer as far as it can hold no secret.
// A Referer is an address that somebody opened: its query and its fragment may hold a link's token, its user part a password, and its path
// a token in path form. All of these are cut off here, before the text goes to any log.

import { canonicalPath } from '../../core/decision/route/path.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { requestClass } from '../request/field-classes.ts';

/** Null where the request has no such field. */
interface VisitorFields {
  readonly userAgent: string | null;
  readonly referer: string | null;
}

/** Of several fields of one name the first is taken. One per edge. */
export class VisitorFieldReader {
  /** Prefix of the path form, which a path in a Referer may have. */
  tokenPathPrefix = '/.t/';
  // pages load many things, and each of these requests has the same Referer
  #lastReferer = '';
  #lastShown: string | null = null;

  read(head: RequestHead): VisitorFields {
    const { fields, fieldCount } = head;
    let userAgent: string | null = null;
    let referer: string | null = null;
    for (let index = 0; index < fieldCount; index++) {
      const found = fields[index * fieldStride];
      if (found === requestClass.userAgent) userAgent ??= head.valueOf(index);
      else if (found === requestClass.referer) referer ??= head.valueOf(index);
    }
    return { userAgent, referer: referer === null ? null : this.#shown(referer) };
  }

  #shown(referer: string): string | null {
    if (referer !== this.#lastReferer) {
      this.#lastShown = withoutSecrets(referer, this.tokenPathPrefix);
      // a copy, so that the memo holds no request head alive
      this.#lastReferer = referer.length > maxRemembered ? '' : Buffer.from(referer, 'latin1').toString('latin1');
    }
    return this.#lastShown;
  }
}

const maxRemembered = 1024;

const schemeAndAuthority = /^https?:\/\/([^/?#\\]{1,300})(\/[^?#]*)?/i;
// a JWT, or anything as long as a secret
const likeToken = /^[^.]{8,}\.[^.]{2,}\.|^.{65,}$/;

/** @returns null for a text that is no address of a page */
function withoutSecrets(referer: string, tokenPathPrefix: string): string | null {
  const match = schemeAndAuthority.exec(referer);
  if (match === null) return null;
  const [, authority = '', rawPath = '/'] = match;
  const scheme = referer.slice(0, referer.indexOf(':')).toLowerCase();
  const site = `${scheme}://${authority.slice(authority.lastIndexOf('@') + 1)}`;
  // a prefix that is written in another way is still one
  const path = rawPath.includes('%') ? canonicalPath(rawPath) : rawPath;
  if (path === null) return `${site}/...`;
  const token = path.indexOf(tokenPathPrefix);
  if (token >= 0) return `${site}${path.slice(0, token + tokenPathPrefix.length)}...`;
  return (
    site +
    (path.length < 9
      ? path
      : path
          .split('/')
          .map((part) => (likeToken.test(part) ? '...' : part))
          .join('/'))
  );
}
