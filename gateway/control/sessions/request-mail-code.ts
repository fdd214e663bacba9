// Mails a code to sign in: six digits for the browser that asked, and a link for any browser. The answer is given once the request is counted;
// whether the address has an account is looked up afterwards, and the work that follows is the same for known and unknown addresses: an
// unknown one has a row with digits and tries as well, whose mail is taken back.
// An address that is unknown here gets an account by the code where registration is open, where a good link is what the person is about to
// open (`by_link`), or where the address was invited. The account is made when the code is used, so a request alone plants nothing.
// Rules: gateway/RULES.md "Sessions, links and guessing".

import { accountStanding } from '../../core/model/account.ts';
import { digestOf } from '../../core/model/digest.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import type { Unit } from '../../store/port/store.ts';
import { findUnverifiedAccounts, findVerifiedAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { endMailboxCodes, hasOpenCode, insertCode, removeCode } from '../../store/rows/one-time-codes.ts';
import { countStranger, mayMailCode } from '../accounts/count-strangers.ts';
import { pagePath } from '../accounts/portal-pages.ts';
import { isAllowedDomain } from '../accounts/register-account.ts';
import type { ControlContext } from '../context/control-context.ts';
import { isLinkThatTakes } from '../links/present-link.ts';
import { queueMail, withdrawMail } from '../notify/queue-mail.ts';
import { codeLifetimes, digitTries } from '../proof/account-limits.ts';
import { type CarriedWay, sealCarried } from '../proof/carried-way.ts';
import { makeSplitSecret, type SplitSecret } from '../proof/one-time-code.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { findKnownDevice } from './known-device.ts';

interface MailCodeInput {
  /** As typed. */
  readonly email: string;
  /** Where the person was going. Its link is checked here. */
  readonly way: CarriedWay | null;
  readonly deviceCookie: string | null;
  /** Address the request came from. */
  readonly clientAddress: string;
  readonly requestId?: string | null | undefined;
}

type MailCodeOutcome =
  /** `request`: what the digits count with; the browser that asked keeps it, and it goes into no mail. Known and unknown addresses get one. */
  | { readonly kind: 'accepted'; readonly request: string }
  | { readonly kind: 'refused'; readonly reason: 'bad-address' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** @throws StoreAway */
export async function requestMailCode(context: ControlContext, input: MailCodeInput): Promise<MailCodeOutcome> {
  const email = normaliseMailAddress(input.email);
  if (email === null) return { kind: 'refused', reason: 'bad-address' };
  if (!context.afterwards.hasRoom()) return { kind: 'busy', retryAfterSeconds: busyRetrySeconds };
  const { value: retryAfterSeconds } = await context.write((unit) =>
    countStranger(unit, context, input.clientAddress, 'sign-in-code'),
  );
  if (retryAfterSeconds !== null) return { kind: 'busy', retryAfterSeconds };
  const mayJoin = isAllowedDomain(context, email) && (await takesStrangers(context, input.way, email));
  const mailed = makeSplitSecret(context);
  // both halves of the mail's code and of the browser's have one selector, which finds the row
  const browserSecret = context.random(32).toString('base64url');
  context.afterwards.run(() => mailDigits(context, { ...input, email, mayJoin, mailed, browserSecret }));
  return { kind: 'accepted', request: `${mailed.selector}.${browserSecret}` };
}

/** Whether somebody whose address is unknown here may get an account on this way. */
async function takesStrangers(context: ControlContext, way: CarriedWay | null, email: string): Promise<boolean> {
  const { registration } = context.config().accounts;
  if (registration !== 'by_link') return registration === 'open';
  return way !== null && (await isLinkThatTakes(context, way, email));
}

/** What the digits of a mail and the secret of the browser that asked come to. The digits alone could be found from their digest by trying. */
export function digestOfDigits(digits: string, browserDigest: string): string {
  return digestOf(`${digits} ${browserDigest}`);
}

interface Asked extends MailCodeInput {
  readonly mayJoin: boolean;
  readonly mailed: SplitSecret & { readonly text: string };
  readonly browserSecret: string;
}

async function mailDigits(context: ControlContext, asked: Asked): Promise<void> {
  const { email, mailed, way, clientAddress } = asked;
  await context.write(async (unit) => {
    const account = await findVerifiedAccount(unit.sql, email);
    const [waiting] = await findUnverifiedAccounts(unit.sql, email);
    const device = await findKnownDevice(unit.sql, account?.id ?? '', asked.deviceCookie);
    // beyond the count nothing is written, so the code that was mailed before still works
    if (!(await mayMailCode(unit, context, { email, clientAddress, knownDevice: device?.id ?? null }))) return;
    const known = account !== null && accountStanding(account) === 'usable' ? account : null;
    // who was invited proves the mailbox by this code as by the invitation
    const isInvited = await hasOpenCode(unit, waiting?.id ?? '', 'invitation');
    const mayJoin = asked.mayJoin || isInvited;
    const joins = mayJoin && account === null && (waiting === undefined || waiting.state === 'active');
    const digits = String(context.random(6).readUIntBE(0, 6) % 1_000_000).padStart(6, '0');
    const mailboxDigest = digestOf(email);
    await insertDigits(unit, context, { ...asked, accountId: known?.id ?? null, joins, digits, mailboxDigest });
    const values = {
      path: pagePath(context, 'enterByMail', mailed.text),
      validForMinutes: codeLifetimes['mail-code'] / 60,
      digits,
      about: way?.about ?? null,
    };
    const queued = await queueMail(unit, context, {
      to: email,
      accountId: known?.id ?? null,
      kind: 'sign-in-code',
      values,
    });
    if (queued.kind === 'left-out') return await removeCode(unit, mailed.selector);
    await endMailboxCodes(unit, mailboxDigest, mailed.selector);
    if (known === null && !joins) return await withdrawMail(unit, queued);
    if (known === null) return;
    const requestId = asked.requestId ?? null;
    await appendAudit(unit, { actor: 'system', action: 'account.code-requested', subject: known.id, requestId });
  });
}

async function insertDigits(
  unit: Unit,
  context: ControlContext,
  code: Asked & {
    readonly accountId: string | null;
    readonly joins: boolean;
    readonly digits: string;
    readonly mailboxDigest: string;
  },
): Promise<void> {
  const { selector, digest } = code.mailed;
  await insertCode(unit, {
    selector,
    digest,
    purpose: 'mail-code',
    accountId: code.accountId,
    details: {},
    expiresAt: unit.now + codeLifetimes['mail-code'],
    carriedSealed: sealCarried(context, selector, { email: code.email, way: code.way, mayJoin: code.joins }),
    digits: {
      digest: digestOfDigits(code.digits, digestOf(code.browserSecret)),
      tries: digitTries,
      mailboxDigest: code.mailboxDigest,
    },
  });
}
