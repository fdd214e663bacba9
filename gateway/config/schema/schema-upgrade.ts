// What a route says about `Upgrade`: which protocols it switches to, and whose pages may ask with a visitor's cookie.
// Shapes only; what a tunnel is and when it ends is the edge's.
// Rules: RFC 9110 §7.8 (protocol names), RFC 6454 §6.2 (serialised origins).

import { z } from 'zod';
import { wordOf } from './values.ts';

// A second HTTP conversation, or TLS around one, would pass every decision of this gateway but the first.
const carriesHttp = /^(?:h2c?|h3|http|tls)(?:\/|$)/;

const protocol = z
  .string()
  .meta({ description: 'a protocol name, like websocket' })
  .transform((text, context): string => {
    const name = text.toLowerCase();
    const problem = !/^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/.test(name)
      ? { message: `${JSON.stringify(text)} is not a protocol name`, hint: 'write websocket, or name/version' }
      : carriesHttp.test(name)
        ? {
            message: `${JSON.stringify(text)} cannot be switched to`,
            hint: 'requests inside it would reach the upstream without a decision',
          }
        : null;
    if (problem === null) return name;
    context.issues.push({ code: 'custom', message: problem.message, input: text, params: { hint: problem.hint } });
    return z.NEVER;
  });

const origin = z
  .string()
  .meta({ description: 'an origin, like https://app.example.org' })
  .transform((text, context): string => {
    const parsed = URL.parse(text);
    if (parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.origin === text.toLowerCase()) {
      return parsed.origin;
    }
    const hint =
      parsed !== null && /^https?:$/.test(parsed.protocol)
        ? `write ${parsed.origin}`
        : 'write https://app.example.org: scheme, host and, if it is not the usual one, port';
    const message = `${JSON.stringify(text)} is not an origin`;
    context.issues.push({ code: 'custom', message, input: text, params: { hint } });
    return z.NEVER;
  });

/** `off`, or the protocols. */
export const upgradeChoice = z
  .union([wordOf('choice', ['off']), z.array(protocol).min(1)])
  .prefault(['websocket'])
  .meta({ description: 'protocols that clients may switch to; off for none' });

export const webSocketRules = z
  .strictObject({
    origins: z
      .array(origin)
      .prefault([])
      .meta({ description: 'other sites whose pages may open a WebSocket with the visitor’s cookie' }),
  })
  .prefault({});
