// The configuration's shape for what a route takes in request targets: paths that servers read in two ways, and methods.
// Everything is refused by default, with a hint in the log that names the setting.

import { z } from 'zod';
import { read, wordOf, wrong } from './values.ts';

const words = ['strict', 'merge', 'redirect'] as const;

/** `routes[].paths`: one word for what is asked most, or a mapping. */
export const pathsChoice = z
  .union([
    wordOf('choice', words),
    z.strictObject({
      slashes: wordOf('choice', ['refuse', 'merge', 'redirect'])
        .prefault('refuse')
        .meta({ description: '// and /./ in a path: 400, taken as one slash, or 308 to the path with one slash' }),
      not_utf8: wordOf('choice', ['refuse', 'keep'])
        .prefault('refuse')
        .meta({ description: 'encoded bytes that are no UTF-8, like %FC: 400, or forwarded so' }),
      encoded_percent: wordOf('choice', ['refuse', 'keep'])
        .prefault('refuse')
        .meta({ description: '%25 in front of two hexadecimal digits, like %2541: 400, or forwarded so' }),
      raw_utf8: wordOf('choice', ['refuse', 'encode'])
        .prefault('refuse')
        .meta({ description: 'letters beyond ASCII that a client did not encode: 400, or encoded on the way' }),
    }),
  ])
  .prefault('strict')
  .meta({ description: 'strict refuses paths that servers read in two ways; merge and redirect are about // and /./' });

const methodName = read('a method, upper case', "^([!#$%&'*+.^_`|~0-9A-Z-]{1,32}|.*\\$\\{.+)$", (text) => {
  if (!/^[!#$%&'*+.^_`|~0-9A-Z-]{1,32}$/.test(text)) {
    return wrong(`${JSON.stringify(text)} is not a method`, 'upper case, at most 32 characters, like GET or PROPFIND');
  }
  if (text === 'CONNECT' || text === 'TRACE' || text === 'PRI') {
    return wrong(`${text} is never taken`, 'it is for proxies and connections, not for sites; drop it');
  }
  return { kind: 'read', value: text };
});

/** `collections[].methods`. */
export const collectionMethods = z.array(methodName).min(1).optional().meta({
  description: 'methods that members, owners, links and keys may use there, GET includes HEAD; others are 403',
});

/** `routes[].methods`. */
export const routeMethods = z.array(methodName).min(1).optional().meta({
  description: 'methods taken, GET includes HEAD; others are 405. Without it every method but CONNECT and TRACE',
});
