// Opens the one-time URL of a key: it is spent by one conditional statement, and gives the browser that opened it a pass for what the key opens. No
// session begins: whoever finds the URL signs in nowhere. Looking at it spends nothing, so previews of mails and chats do no harm.

import { digestOf, sameDigest } from '../../core/model/digest.ts';
import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { readPersonName } from '../../store/rows/accounts.ts';
import { readSessionStanding } from '../../store/rows/sessions.ts';
import { findRepresentation, type RepresentationRow, spendOneTimeUrl } from '../../store/sharing/representations.ts';
import { findHeldKeys, findHeldShare, type HeldKey } from '../../store/sharing/share-chains.ts';
import type { AccessPass } from '../access/access-pass.ts';
import { type LiveAccount, readLiveAccount } from '../access/live-account.ts';
import type { ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { isInPlace, passOfKey } from './represent-key.ts';

/** What a person is told before a key opens something in this browser. */
interface KeyQuestion {
  readonly kind: 'asked';
  readonly keyName: string;
  /** Name or address of the account that made the URL; null once it was deleted. */
  readonly by: string | null;
  readonly host: string;
  readonly path: string;
  readonly expiresAt: EpochSeconds;
}

/** Unknown, opened before, over, revoked, or its key is not held any more: the answer does not say which. */
type Refused = { readonly kind: 'refused' };

type KeyOpened = { readonly kind: 'opened'; readonly path: string; readonly pass: AccessPass } | Refused;

interface Presented {
  /** `<representation id>.<secret>`, as it was sent. */
  readonly code: string;
  /** Host that it was sent to, canonical. */
  readonly host: string;
}

/** @throws StoreAway */
export async function askKeyUrl(context: ControlContext, presented: Presented): Promise<KeyQuestion | Refused> {
  const code = parse(presented.code);
  if (code === null) return { kind: 'refused' };
  const now = context.clock.epochSeconds();
  const { sql } = context.store;
  const row = await findRepresentation(sql, code.id);
  // the comparison is made for an unknown id as well
  const isRight = sameDigest(row?.secret_digest ?? digestOf(''), code.digest);
  if (row === null || !isRight || !isOpen(row, now)) return { kind: 'refused' };
  const standing = await readStanding(context, sql, row, now);
  if (standing === null || standing.held.host !== presented.host) return { kind: 'refused' };
  const { held } = standing;
  const by = await readPersonName(sql, row.account_id);
  return { kind: 'asked', keyName: held.keyName, by, host: held.host, path: held.path, expiresAt: row.expires_at };
}

/** @throws StoreAway  the URL may be spent, and opened nothing */
export async function openKeyUrl(
  context: ControlContext,
  presented: Presented & { readonly origin: Origin },
): Promise<KeyOpened> {
  const code = parse(presented.code);
  if (code === null) return { kind: 'refused' };
  const { value: opened, position } = await context.write(async (unit) => {
    const { sql, now } = unit;
    const seen = await findRepresentation(sql, code.id);
    const standing = seen === null ? null : await readStanding(context, sql, seen, now);
    // on another host, or while its key is not held, it is not spent
    if (standing === null || standing.held.host !== presented.host) return null;
    const row = await spendOneTimeUrl(sql, code.id, code.digest, now);
    if (row === null) return null;
    await noteShare(unit, {
      ...{ actor: row.account_id, action: 'representation.opened', subject: row.id, origin: presented.origin },
      details: { key: row.key_id, share: row.share_id },
    });
    return { row, ...standing };
  });
  const pass = opened === null ? null : passOfKey(context, { ...opened, position });
  return opened === null || pass === null ? { kind: 'refused' } : { kind: 'opened', path: opened.held.path, pass };
}

interface Standing {
  readonly account: LiveAccount;
  readonly device: string;
  readonly held: HeldKey;
}

/** The account, its session and the held key behind a representation, if all of them still stand. */
async function readStanding(
  context: ControlContext,
  sql: Sql,
  row: RepresentationRow,
  now: EpochSeconds,
): Promise<Standing | null> {
  const session = await readSessionStanding(sql, row.session_id);
  if (session === null) return null;
  const device = session.session.device_id;
  const account = await readLiveAccount(sql, { account: row.account_id, session: row.session_id, device }, now);
  if (account === null) return null;
  const held =
    row.share_id === null
      ? (await findHeldKeys(sql, account.id, row.key_id, now)).find(({ shareId }) => shareId === null)
      : await findHeldShare(sql, row.share_id, now);
  return held == null || !isInPlace(context, held) ? null : { account, device, held };
}

function isOpen(row: RepresentationRow, now: EpochSeconds): boolean {
  return row.used_at === null && row.revoked_at === null && row.expires_at > now;
}

function parse(code: string): { readonly id: string; readonly digest: string } | null {
  const [id = '', secret = '', ...more] = code.split('.');
  if (more.length > 0 || !isId('representation', id) || !/^[\w-]{43}$/.test(secret)) return null;
  return { id, digest: digestOf(secret) };
}
