// "Open on another device": a one-time code of ten minutes for a television or a player, as a QR code or typed in. It gives a pass
// for one place, which is made from the access list when the code is spent, and no session: a person who finds a code signs in nowhere.
// The pass hangs on the session that the code was made in, so signing out there ends it here.

import { z } from 'zod';
import { digestOf } from '../../core/model/digest.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { readDevice } from '../../store/rows/devices.ts';
import { endCodesBeyond, findOpenCode, insertCode, spendCode } from '../../store/rows/one-time-codes.ts';
import { type AccessPass, makeAccessPass } from '../access/access-pass.ts';
import { answerAccess } from '../access/answer-access.ts';
import { publicOrigin } from '../access/tokenized-url.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { codesKept } from '../proof/account-limits.ts';
import { countGuess } from '../proof/throttle.ts';

/** Life of a code. */
const elsewhereSeconds = 10 * 60;

/** Letters and digits that are not mistaken for each other. 32 of them: five random bits each. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const codeLength = 8;

const detailsShape = z.object({ host: z.string(), path: z.string(), session: z.string(), device: z.string() });

interface ElsewhereOffer {
  readonly kind: 'offered';
  /** The code as `ABCD-EFGH`, to be typed in. A secret for ten minutes. */
  readonly code: string;
  /** The URL in the QR code: the page on the content's host that takes the code. */
  readonly url: string;
  /** The page where the code is typed in; without a portal, a page on the content's host. */
  readonly typeUrl: string;
  readonly expiresAt: number;
}

/** @param place  canonical @throws StoreAway */
export async function offerElsewhere(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  place: { readonly host: string; readonly path: string },
): Promise<ElsewhereOffer | { readonly kind: 'not-found' }> {
  const { host, path } = place;
  const question = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId, host, path };
  if ((await answerAccess(context, question)).kind !== 'granted') return { kind: 'not-found' };
  const code = [...context.random(codeLength)].map((byte) => alphabet[byte & 31]).join('');
  const written = await context.write(async (unit) => {
    const details = { host, path, session: actor.sessionId, device: actor.deviceId };
    const expiresAt = unit.now + elsewhereSeconds;
    await insertCode(unit, { ...keyOf(code), accountId: actor.accountId, details, expiresAt });
    await endCodesBeyond(unit, actor.accountId, 'open-elsewhere', codesKept);
    return expiresAt;
  });
  const config = context.config();
  const page = `${config.reservedPrefix}open`;
  return {
    kind: 'offered',
    code: spell(code),
    url: `${publicOrigin(config, host)}${page}?code=${code}`,
    typeUrl: `${config.portal?.publicUrl ?? publicOrigin(config, host)}${page}`,
    expiresAt: written.value,
  };
}

type ElsewhereOpened =
  | { readonly kind: 'opened'; readonly path: string; readonly pass: AccessPass }
  /** The code is for another host, and is not spent: the URL is the page that takes it. */
  | { readonly kind: 'elsewhere'; readonly url: string }
  /** The code is unknown, used or expired, or its place is not open to the account any more: the answer does not say which. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** What a person is told before they open something on this device. */
interface ElsewhereQuestion {
  readonly kind: 'asked';
  /** Name or address of the account that made the code. */
  readonly by: string;
  /** Name of the browser that it was made in; empty when that is not known. */
  readonly browser: string;
  /** The /24 or /48 of that browser's last sign-in; null when that is not known. */
  readonly network: string | null;
  readonly at: number;
  readonly host: string;
  readonly path: string;
}

/**
 * Reads what a code is for, and spends nothing. A look is a guess as much as a try is, so it counts as one: otherwise codes could be
 * looked for where nobody counts.
 *
 * @throws StoreAway
 */
export async function askElsewhere(
  context: ControlContext,
  asked: { readonly typed: string; readonly clientAddress: string },
): Promise<ElsewhereQuestion | Extract<ElsewhereOpened, { readonly kind: 'refused' | 'busy' }>> {
  const code = readCode(asked.typed);
  if (code === null) return { kind: 'refused' };
  const guess = { secret: 'elsewhere-code', name: null, clientAddress: asked.clientAddress, known: null } as const;
  const written = await context.write(async (unit) => {
    const wait = await countGuess(unit, guess);
    if (wait !== null) return { kind: 'busy', retryAfterSeconds: wait } as const;
    const open = await findOpenCode(unit, keyOf(code));
    if (open === null || open.accountId === null) return { kind: 'refused' } as const;
    const { device, host, path } = detailsShape.parse(open.details);
    const browser = await readDevice(unit.sql, device);
    const by = await readPersonName(unit.sql, open.accountId);
    if (by === null) return { kind: 'refused' } as const;
    const at = open.expiresAt - elsewhereSeconds;
    return {
      kind: 'asked',
      by,
      browser: browser?.name ?? '',
      network: browser?.last_network ?? null,
      at,
      host,
      path,
    } as const;
  });
  return written.value;
}

/** The code without dashes and blanks, in capitals; null for a text that is no code. */
function readCode(typed: string): string | null {
  const code = typed.toUpperCase().replace(/[\s-]/g, '');
  return code.length === codeLength && [...code].every((letter) => alphabet.includes(letter)) ? code : null;
}

/**
 * Spends a code on the host that it is for.
 *
 * @param typed  as the person typed the code: capitals or not, with or without the dash
 * @throws StoreAway
 */
export async function openElsewhere(
  context: ControlContext,
  asked: {
    readonly typed: string;
    readonly host: string;
    readonly clientAddress: string;
    readonly requestId: string | null;
  },
): Promise<ElsewhereOpened> {
  const code = readCode(asked.typed);
  if (code === null) return { kind: 'refused' };
  const guess = { secret: 'elsewhere-code', name: null, clientAddress: asked.clientAddress, known: null } as const;
  const key = keyOf(code);
  const written = await context.write(async (unit) => {
    const wait = await countGuess(unit, guess);
    if (wait !== null) return { kind: 'busy', retryAfterSeconds: wait } as const;
    const open = await findOpenCode(unit, key);
    const details = open === null ? null : detailsShape.parse(open.details);
    if (details === null || open === null || open.accountId === null) return { kind: 'refused' } as const;
    if (details.host !== asked.host) return { kind: 'elsewhere', host: details.host } as const;
    if ((await spendCode(unit, key)).kind === 'refused') return { kind: 'refused' } as const;
    await appendAudit(unit, {
      actor: open.accountId,
      action: 'access.opened-elsewhere',
      subject: open.accountId,
      details: { session: details.session, host: details.host, path: details.path },
      requestId: asked.requestId,
    });
    return { kind: 'spent', account: open.accountId, ...details } as const;
  });
  const outcome = written.value;
  const config = context.config();
  switch (outcome.kind) {
    case 'busy':
    case 'refused':
      return outcome;
    case 'elsewhere':
      return {
        kind: 'elsewhere',
        url: `${publicOrigin(config, outcome.host)}${config.reservedPrefix}open?code=${code}`,
      };
    case 'spent': {
      const made = await makeAccessPass(context, outcome, 'cookie');
      return made.kind === 'made' ? { kind: 'opened', path: outcome.path, pass: made.pass } : { kind: 'refused' };
    }
    default:
      return outcome satisfies never;
  }
}

/** The URL of a place with its pass inside the path, for players that take no cookies. A secret until it ends. */
export async function makePlayerUrl(
  context: ControlContext,
  actor: Extract<Actor, { kind: 'account' }>,
  place: { readonly host: string; readonly path: string },
): Promise<
  { readonly kind: 'made'; readonly url: string; readonly expiresAt: number } | { readonly kind: 'not-found' }
> {
  const { host, path } = place;
  const question = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId, host, path };
  const made = await makeAccessPass(context, question, 'path');
  if (made.kind !== 'made') return { kind: 'not-found' };
  const config = context.config();
  const { token, maxAgeSeconds } = made.pass;
  const url = `${publicOrigin(config, host)}${config.tokens.pathPrefix}${token}${path}`;
  return { kind: 'made', url, expiresAt: context.clock.epochSeconds() + maxAgeSeconds };
}

/** Both halves come from the whole code: it is too short to be cut in two. */
function keyOf(code: string) {
  return {
    selector: ownDigest(`selector ${code}`).slice(0, 22),
    digest: ownDigest(code),
    purpose: 'open-elsewhere',
  } as const;
}

function ownDigest(text: string): string {
  return digestOf(`open-elsewhere ${text}`);
}

function spell(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
