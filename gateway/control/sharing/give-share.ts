// Gives a key to an address. Nothing is granted: the address is told by a message, and who reads it asks for the key and authenticates.
// The same statements run whatever is known of the address, so neither the answer nor the time tells whether it has an account. Nothing is
// appended to the change log. US 9,923,879, first step; rules: gateway/RULES.md "Sessions, links and guessing".

import { digestOf } from '../../core/model/digest.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import { insertAccount } from '../../store/rows/accounts.ts';
import { isBlocked } from '../../store/sharing/share-blocks.ts';
import { readChain } from '../../store/sharing/share-chains.ts';
import { readListedShare } from '../../store/sharing/share-lists.ts';
import { isAddressOfAny, settleRecipient } from '../../store/sharing/share-recipients.ts';
import { findShareOfForm, findStandingShare, insertShare, type ShareRow } from '../../store/sharing/shares.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { settleMail } from '../notify/queue-mail.ts';
import { countRequest } from '../proof/throttle.ts';
import { mayInvite } from './may-invite.ts';
import { noteRefusal } from './note-refusal.ts';
import { findMayGive } from './share-authority.ts';
import { depthIsSound, readWords, type ShareProblem, usesAreSound, windowIsSound } from './share-input.ts';
import { mailOffer } from './share-mails.ts';
import { makeShareSecret } from './share-secret.ts';
import { type ShareView, shareViewOf } from './share-view.ts';

/** An absent member has the default that stands beside it. */
interface NewShare {
  readonly keyId: string;
  /** As it was typed. */
  readonly email: string;
  /** The giver's own words, for the page alone. Default: none. */
  readonly words?: string | undefined;
  /** Defaults null: no limit. The window of a share that hangs below another one is cut to the window above. */
  readonly usableFromAt?: EpochSeconds | null | undefined;
  readonly usableUntilAt?: EpochSeconds | null | undefined;
  readonly usesAllowed?: number | null | undefined;
  /** Default 0: the recipient may not share it on. */
  readonly reshareDepth?: number | undefined;
  /** The same key of the same giver makes one share to an address, however often it is sent. Default: no key. */
  readonly creationKey?: string | undefined;
  readonly origin: Origin;
}

type ShareGiven =
  | { readonly kind: 'given'; readonly share: ShareView }
  /** A form with this key made it before, and nothing was made now. */
  | { readonly kind: 'made-before'; readonly share: ShareView }
  | { readonly kind: 'refused'; readonly problem: ShareProblem }
  /** No message can be sent. */
  | { readonly kind: 'no-mail' }
  /** The address is that of the giver, of somebody above in the chain, or of the credential's account. */
  | { readonly kind: 'yours-already' }
  /** The giver gave the key to this address, and that share is not over. */
  | { readonly kind: 'shared-already'; readonly id: string }
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number }
  /** There is no such key, or the actor may not give it: the answer does not say which. */
  | { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function giveShare(context: ControlContext, actor: Actor, input: NewShare): Promise<ShareGiven> {
  const { mail, portal } = context.config();
  if (mail === null || portal === null) return { kind: 'no-mail' };
  const written = await context.write((unit) => give(context, unit, actor, input));
  return written.value;
}

async function give(context: ControlContext, unit: Unit, actor: Actor, input: NewShare): Promise<ShareGiven> {
  const { sql, now } = unit;
  const { keyId, origin, reshareDepth = 0, usesAllowed = null } = input;
  const right = await findMayGive(sql, context, actor, keyId, now);
  if (right === null) return { kind: 'not-found' };
  const { giverId, held } = right;

  const email = normaliseMailAddress(input.email);
  if (email === null) return refused('bad-address');
  const words = readWords(input.words ?? '');
  if (words === null) return refused('words-too-long');
  if (!usesAreSound(usesAllowed)) return refused('bad-uses');
  if (!depthIsSound(reshareDepth, right.mostDepth)) return refused('bad-depth');
  const from = input.usableFromAt ?? null;
  const until = withinParent(input.usableUntilAt ?? null, held.shareId === null ? null : held.untilAt);
  if (!windowIsSound({ from, until }, now)) return refused('bad-window');

  const creationDigest =
    input.creationKey === undefined ? null : digestOf(`${actorName(actor)} ${input.creationKey} ${email}`);
  if (creationDigest !== null) {
    const before = await findShareOfForm(sql, creationDigest);
    const listed = before === null ? null : await readListedShare(sql, before.id, now);
    if (listed !== null) return { kind: 'made-before', share: shareViewOf(listed, 'giver', now) };
  }

  // Counted before an address is compared with anybody's, so that nobody tries addresses without end.
  const counted = await countRequest(unit, context, [{ kind: 'shares-of-sender', subject: giverId }]);
  if (counted.kind === 'blocked') {
    await noteRefusal(context, unit, actor, { giverId, keyId, reason: 'too-many', origin });
    return { kind: 'too-many', retryAfterSeconds: counted.waitSeconds };
  }
  if (await isAddressOfAny(sql, email, right.above)) {
    await noteRefusal(context, unit, actor, { giverId, keyId, reason: 'yours-already', origin });
    return { kind: 'yours-already' };
  }
  const standing = await findStandingShare(sql, { keyId, giverId, email }, now);
  // one that hangs below a share that is over for good opens nothing any more, so the key may be given anew
  if (standing !== null && !(await isCutOff(sql, standing))) return { kind: 'shared-already', id: standing.id };

  // From here on no statement and no number of them depends on what is known of the address.
  const recipient = await placeRecipient(context, unit, email);
  const isBlockedBy = await isBlocked(sql, { mailboxDigest: digestOf(email), giverId });
  const id = makeId('share', context.random(idRandomBytes));
  const secret = makeShareSecret(context, id);
  const share: ShareRow = {
    ...{ id, key_id: keyId, parent_id: held.shareId, depth: held.depth + 1, giver_id: giverId },
    ...{ email, account_id: recipient.id, state: 'pending', words, secret_digest: secret.digest },
    ...{ secret_sealed: secret.sealed, usable_from_at: from, usable_until_at: until, reshare_depth: reshareDepth },
    ...{ uses_allowed: usesAllowed, uses_left: usesAllowed, creation_digest: creationDigest, created_at: now },
    ...{ expires_at: now + context.config().sharing.expiresSeconds, last_mail_at: now, first_mail_at: null },
    ...{
      mail_failed_at: null,
      reminded_at: null,
      accepted_at: null,
      ended_at: null,
      ended_by: null,
      last_used_at: null,
    },
  };
  await insertShare(sql, share);
  const listed = await readListedShare(sql, id, now);
  if (listed === null) throw new Error('a share that was inserted is there');
  const mail = await mailOffer(unit, context, listed, secret.text);
  const mayMail = !isBlockedBy && mayInvite(context, { email, isVerified: recipient.isVerified });
  await settleMail(unit, mail, mayMail ? 'send' : 'withdraw');
  await noteShare(unit, {
    ...{ actor: actorName(actor), action: 'share.created', subject: id, origin },
    details: { key: keyId, credential: held.credentialId, parent: held.shareId },
  });
  return { kind: 'given', share: shareViewOf(listed, 'giver', now) };
}

/** Puts a candidate for the address into the store, and takes it out again where the address has an account. */
async function placeRecipient(context: ControlContext, unit: Unit, email: string) {
  const id = makeId('account', context.random(idRandomBytes));
  await insertAccount(unit.sql, {
    ...{ id, email, emailVerifiedAt: null, passwordHash: null, displayName: '', groups: [] },
    ...{ role: 'user', state: 'active', createdAt: unit.now },
  });
  return await settleRecipient(unit.sql, email, id);
}

/** Whether a share above is over for good. */
async function isCutOff(sql: Sql, { parent_id }: ShareRow): Promise<boolean> {
  const chain = parent_id === null ? [] : await readChain(sql, parent_id);
  return chain.some(({ state }) => state !== 'accepted' && state !== 'disabled');
}

function withinParent(until: EpochSeconds | null, parentUntil: EpochSeconds | null): EpochSeconds | null {
  if (parentUntil === null) return until;
  return until === null ? parentUntil : Math.min(until, parentUntil);
}

function refused(problem: ShareProblem): ShareGiven {
  return { kind: 'refused', problem };
}
