// Carries a sign-in from the portal's host to another host: a code of one minute, good once, for one host and for the browser that
// holds the nonce. Rule: gateway/RULES.md "Hosts". The code alone opens nothing, so it may stand in a redirect.

import { digestOf, sameDigest } from '../../core/model/digest.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { detailText, issueCode, redeemCode } from '../proof/one-time-code.ts';
import { sessionForHost } from './session-for-host.ts';

/**
 * Makes the code, at the portal.
 *
 * @param input.host       where the visitor wants to be signed in
 * @param input.nonceHash  SHA-256 of the nonce in that host's flow cookie, base64url; see `nonceHashOf`
 */
export async function makeHandover(
  context: ControlContext,
  input: { readonly actor: Extract<Actor, { kind: 'account' }>; readonly host: string; readonly nonceHash: string },
): Promise<{ readonly code: string }> {
  const { actor, host, nonceHash } = input;
  const written = await context.write((unit) =>
    issueCode(unit, context, {
      purpose: 'hand-over',
      accountId: actor.accountId,
      details: { session: actor.sessionId, host, nonceHash },
    }),
  );
  return { code: written.value };
}

type RedeemedHandover =
  /** The session token for that host, and how long the browser keeps the cookie. */
  { readonly kind: 'redeemed'; readonly token: string; readonly maxAgeSeconds: number } | { readonly kind: 'refused' };

/** Spends the code at the host that it is for. A code that was tried with a wrong nonce or at a wrong host is spent as well. */
export async function redeemHandover(
  context: ControlContext,
  input: { readonly code: string; readonly nonce: string; readonly host: string },
): Promise<RedeemedHandover> {
  const written = await context.write((unit) => redeemCode(unit, 'hand-over', input.code));
  const details = written.value?.details;
  if (details === undefined) return { kind: 'refused' };
  const isBound = sameDigest(detailText(details, 'nonceHash'), nonceHashOf(input.nonce));
  if (!isBound || detailText(details, 'host') !== input.host) return { kind: 'refused' };
  const session = await sessionForHost(context, { sessionId: detailText(details, 'session'), host: input.host });
  return session.kind === 'minted' ? { ...session, kind: 'redeemed' } : { kind: 'refused' };
}

/** The digest by which a code is bound to a nonce. */
export function nonceHashOf(nonce: string): string {
  return digestOf(nonce);
}
