// Makes a representation of a key: the key in a form that can be carried, for the holder in the holder's own session. It opens what the key opens,
// lasts an hour at most, never longer than anything that the key hangs on, and is a node of its own that can be revoked.
// A share with a number of uses opens by representations alone. Everything that can be wrong is looked at first, so that a refused request spends
// no use; then one conditional statement spends it, and its row count is the verdict. US 9,923,879 (representation of a key).

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { GrantedAccess } from '../../core/decision/state/access.ts';
import type { LogPosition } from '../../core/model/change.ts';
import { digestOf } from '../../core/model/digest.ts';
import { covers } from '../../core/model/path.ts';
import { oneTimeUrlSeconds, type RepresentationKind, representationSeconds } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import {
  findRepresentation,
  insertRepresentation,
  type RepresentationRow,
} from '../../store/sharing/representations.ts';
import { findHeldKeys, type HeldKey } from '../../store/sharing/share-chains.ts';
import { findShare, spendUse } from '../../store/sharing/shares.ts';
import { type AccessPass, passFrom } from '../access/access-pass.ts';
import { methodsOf, methodsWithin, nodesOfKey } from '../access/access-sources.ts';
import { claimsOf } from '../access/answer-access.ts';
import { collectionNamed } from '../access/collections.ts';
import { type LiveAccount, readLiveAccount } from '../access/live-account.ts';
import { publicOrigin } from '../access/tokenized-url.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { creationId } from '../keys/creation-id.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';

type AccountActor = Extract<Actor, { kind: 'account' }>;

/** What is carried. All of it is secret while the representation lives. */
type Carried =
  /** `url`: to be opened once. It is also what the pictures show. */
  | { readonly form: 'once'; readonly url: string }
  | { readonly form: 'path'; readonly url: string }
  | { readonly form: 'token'; readonly token: string };

interface Represented {
  readonly kind: 'made';
  readonly id: string;
  readonly carried: Carried;
  readonly expiresAt: EpochSeconds;
  /** Uses that are left of the share; null where there is no limit. */
  readonly usesLeft: number | null;
}

type KeyRepresented =
  | Represented
  /** There is no such key, or the account does not hold it now: the answer does not say which. */
  | { readonly kind: 'not-found' }
  /** A form with this key made one before, which is over by now. Nothing was made or spent. */
  | { readonly kind: 'made-before' }
  /** All uses of the share are spent. */
  | { readonly kind: 'used-up' }
  /** No pass can be made for the place now: no common key signs, no route serves it, or the key is over in a moment. */
  | { readonly kind: 'no-pass' };

interface NewRepresentation {
  readonly keyId: string;
  readonly kind: RepresentationKind;
  /**
   * A secret of at least 128 random bits in `minCreationKeyLength` characters, one for each form: the same form makes one representation and
   * spends one use, however often it is sent, and each time its answer holds the same. A shorter one counts as none. Default: none.
   */
  readonly creationKey?: string | undefined;
  readonly origin: Origin;
}

/** 16 random bytes in base64url. */
const minCreationKeyLength = 22;

/** @throws StoreAway  the use may be spent, and nothing was made of it */
export async function representKey(
  context: ControlContext,
  actor: AccountActor,
  input: NewRepresentation,
): Promise<KeyRepresented> {
  const form = formOf(input.kind);
  const { creationKey = '' } = input;
  // the session is a part of it: what another session made hangs on that one
  const formText =
    creationKey.length < minCreationKeyLength
      ? undefined
      : JSON.stringify([actor.sessionId, input.keyId, input.kind, creationKey]);
  const secret = form === 'once' ? secretFor(context, formText) : null;
  const written = await context.write((unit) => represent(context, unit, actor, { ...input, form, secret, formText }));
  const made = written.value;
  if (made.kind !== 'inserted') return made;
  const { row, held, account, usesLeft } = made;
  const config = context.config();
  const origin = publicOrigin(config, held.host);
  const done = { kind: 'made', id: row.id, expiresAt: row.expires_at, usesLeft } as const;
  if (secret !== null) {
    const url = `${origin}${config.reservedPrefix}key?code=${row.id}.${secret}`;
    return { ...done, carried: { form: 'once', url } };
  }
  const pass = passOfKey(context, { account, held, row, device: actor.deviceId, position: written.position });
  if (pass === null) return { kind: 'no-pass' };
  const expiresAt = context.clock.epochSeconds() + pass.maxAgeSeconds;
  const { token } = pass;
  if (form === 'token') return { ...done, expiresAt, carried: { form, token } };
  const url = `${origin}${config.tokens.pathPrefix}${token}${held.path}`;
  return { ...done, expiresAt, carried: { form: 'path', url } };
}

/** The secret of a one-time URL. That of a form follows from the form's own secret, so that the form's second answer holds the same URL. */
function secretFor({ random }: Pick<ControlContext, 'random'>, formText: string | undefined): string {
  const bytes =
    formText === undefined ? Buffer.from(random(32)) : createHash('sha256').update(`one-time-url ${formText}`).digest();
  return bytes.toString('base64url');
}

function formOf(kind: RepresentationKind): Carried['form'] {
  switch (kind) {
    case 'url':
    case 'qr_svg':
    case 'qr_png':
      return 'once';
    case 'path_url':
      return 'path';
    case 'bearer':
    case 'header':
      return 'token';
    default:
      return kind satisfies never;
  }
}

type Inserted = {
  readonly kind: 'inserted';
  readonly row: RepresentationRow;
  readonly held: HeldKey;
  readonly account: LiveAccount;
  readonly usesLeft: number | null;
};

async function represent(
  context: ControlContext,
  unit: Unit,
  actor: AccountActor,
  input: {
    readonly keyId: string;
    readonly kind: RepresentationKind;
    readonly origin: Origin;
    readonly form: Carried['form'];
    readonly secret: string | null;
    readonly formText: string | undefined;
  },
): Promise<Inserted | Exclude<KeyRepresented, Represented>> {
  const { sql, now } = unit;
  const { accountId, sessionId, deviceId } = actor;
  const reference = { account: accountId, session: sessionId, device: deviceId };
  const account = await readLiveAccount(sql, reference, now);
  if (account === null) return { kind: 'not-found' };
  // those without a number of uses first: a use is spent only where nothing else opens
  const ways = (await findHeldKeys(sql, accountId, input.keyId, now))
    .filter((held) => isInPlace(context, held))
    .sort((one, other) => Number(one.usesAllowed !== null) - Number(other.usesAllowed !== null));
  if (ways.length === 0) return { kind: 'not-found' };
  const id = creationId(context, actor, 'representation', input.formText);
  const before = input.formText === undefined ? null : await findRepresentation(sql, id);
  if (before !== null) return await madeAgain(sql, before, { ways, account, now });
  let isUsedUp = false;
  for (const held of ways) {
    const life = input.form === 'once' ? oneTimeUrlSeconds : representationSeconds;
    const row: RepresentationRow = {
      ...{ id, key_id: held.keyId, share_id: held.shareId, account_id: accountId, session_id: sessionId },
      ...{ kind: input.kind, secret_digest: input.secret === null ? null : digestOf(input.secret) },
      ...{ created_at: now, expires_at: Math.min(now + life, held.untilAt ?? Number.POSITIVE_INFINITY) },
      ...{ used_at: null, revoked_at: null, revoked_by: null },
    };
    // tried before the use is spent: where no pass can be made, nothing is spent
    if (passOfKey(context, { account, held, row, device: deviceId, position: anyPosition }) === null) continue;
    const usesLeft = held.usesAllowed === null || held.shareId === null ? null : await spendUse(sql, held.shareId);
    if (usesLeft !== null && usesLeft < 0) {
      isUsedUp = true;
      continue;
    }
    await insertRepresentation(sql, row);
    await noteShare(unit, {
      ...{ actor: accountId, action: 'representation.made', subject: id, origin: input.origin },
      details: { key: held.keyId, credential: held.credentialId, share: held.shareId, form: input.kind },
    });
    return { kind: 'inserted', row, held, account, usesLeft };
  }
  return { kind: isUsedUp ? 'used-up' : 'no-pass' };
}

/** What a form made before, as it stands: nothing is made and nothing spent. */
async function madeAgain(
  sql: Sql,
  row: RepresentationRow,
  known: { readonly ways: readonly HeldKey[]; readonly account: LiveAccount; readonly now: EpochSeconds },
): Promise<Inserted | Exclude<KeyRepresented, Represented>> {
  const { ways, account, now } = known;
  const held = ways.find(({ shareId }) => shareId === row.share_id);
  const isOver = row.used_at !== null || row.revoked_at !== null || row.expires_at <= now;
  if (held === undefined || isOver) return { kind: 'made-before' };
  const usesLeft = row.share_id === null ? null : ((await findShare(sql, row.share_id))?.uses_left ?? null);
  return { kind: 'inserted', row, held, account, usesLeft };
}

/** For the pass that is made to see whether one can be made, and is thrown away. It has the form of a place in a log. */
const anyPosition: LogPosition = { epoch: 'AAAAAAAAAAA', seq: 0 };

/** A key opens inside its collection alone, and nothing once the collection became smaller or is gone. */
export function isInPlace({ config }: Pick<ControlContext, 'config'>, held: HeldKey): boolean {
  const collection = collectionNamed(config(), held.collection);
  return collection !== null && collection.host === held.host && covers(collection.path, held.path);
}

/** The pass of a representation: it hangs on the whole chain, on the session that it was made in, and on the representation itself. */
export function passOfKey(
  context: Pick<ControlContext, 'config' | 'clock' | 'tokens'>,
  of: {
    readonly account: LiveAccount;
    readonly held: HeldKey;
    readonly row: RepresentationRow;
    readonly device: string;
    readonly position: LogPosition;
  },
): AccessPass | null {
  const { account, held, row, device, position } = of;
  const collection = collectionNamed(context.config(), held.collection);
  if (collection === null) return null;
  const { host, path } = held;
  const lastsUntil = row.created_at + representationSeconds;
  const answer: GrantedAccess = {
    ...{ kind: 'granted', position, subjects: [], grant: held.shareId ?? held.keyId, claims: claimsOf(account) },
    nodes: [account.id, ...nodesOfKey(held), row.id],
    scope: {
      ...{ host, path, methods: methodsWithin(methodsOf(held.methods), collection) },
      untilAt: held.untilAt,
    },
  };
  const left = lastsUntil - context.clock.epochSeconds();
  return left <= 0 ? null : passFrom(context, answer, { session: row.session_id, device, host, path }, left);
}
