// The real parts under the model: a control's context on a store, people with sessions, two credentials with three keys. Each function does
// one step of a sequence by the functions that pages and programs call, and says whether it was done.

import { argon2Sync, randomBytes } from 'node:crypto';
import { answerAccess } from '../../gateway/control/access/answer-access.ts';
import { adminDisable, adminEnable } from '../../gateway/control/accounts/administer-accounts.ts';
import { deleteAccount } from '../../gateway/control/accounts/delete-account.ts';
import type { ControlContext } from '../../gateway/control/context/control-context.ts';
import { noOrigin } from '../../gateway/control/keys/note-share.ts';
import { removeKey } from '../../gateway/control/keys/remove-key.ts';
import { withdrawCredential } from '../../gateway/control/keys/withdraw-credential.ts';
import { issueCode } from '../../gateway/control/proof/one-time-code.ts';
import { confirmAddressChange } from '../../gateway/control/sessions/confirm-address-change.ts';
import { acceptShare } from '../../gateway/control/sharing/accept-share.ts';
import { changeShare } from '../../gateway/control/sharing/change-share.ts';
import { declineShare, leaveShare } from '../../gateway/control/sharing/decline-share.ts';
import { endShare } from '../../gateway/control/sharing/end-share.ts';
import { giveShare } from '../../gateway/control/sharing/give-share.ts';
import { requestShare } from '../../gateway/control/sharing/request-share.ts';
import { openShareSecret } from '../../gateway/control/sharing/share-secret.ts';
import type { AccessAnswer } from '../../gateway/core/decision/state/access.ts';
import { makeId } from '../../gateway/core/model/node-id.ts';
import type { Sql } from '../../gateway/store/port/store.ts';
import { insertCredential, insertCredentialKey } from '../../gateway/store/sharing/credentials.ts';
import { findHeldKeys } from '../../gateway/store/sharing/share-chains.ts';
import { findShare, noteMailHandedOver } from '../../gateway/store/sharing/shares.ts';
import { type AccountActor, addAccount, addDevice } from '../support/rigs/link-rig.ts';
import type { TestClock } from '../support/store/stores.ts';
import type { Ending, Gift, MadeShare, Window } from './model-rows.ts';
import { peopleCount } from './steps.ts';

/** What the world is made of; the model is made of the same. */
export const plan = {
  host: 'media.localhost',
  keys: [
    { credential: 0, collection: 'hillside', path: '/cam/hillside/' },
    { credential: 0, collection: 'hillside', path: '/cam/hillside/front/' },
    { credential: 1, collection: 'lab', path: '/cam/lab/' },
  ],
  /** Owner by number, and the window in seconds from the beginning. */
  credentials: [
    { owner: 0, from: null, until: null },
    { owner: 1, from: 60, until: 86_400 * 40 },
  ],
  places: ['/cam/hillside/a.ts', '/cam/hillside/front/a.ts', '/cam/lab/a.ts', '/cam/other.ts'],
} as const;

/** Added to the configuration of the context. */
export const worldYaml = `
sharing: { invite: anyone, reshare_depth: 3, per_sender: 10000/h, per_address: 10000/h }
collections:
  - { name: hillside, host: media.localhost, path: /cam/hillside/ }
  - { name: lab, host: media.localhost, path: /cam/lab/ }
`;

const passwordOf = (person: number): string => `the password of person ${person}`;

/** What the accounts have before their first sign-in: hashes that cost next to nothing to check. */
const hashes = Array.from({ length: peopleCount }, (_, person) => {
  const salt = Buffer.alloc(16, person);
  const cost = { memory: 8, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: passwordOf(person), nonce: salt, ...cost });
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=8,t=1,p=1$${text(salt)}$${text(hash)}`;
});

export class World {
  readonly #context: ControlContext;
  readonly #clock: TestClock;
  readonly #people: AccountActor[] = [];
  readonly #credentialIds: string[] = [];
  readonly #keyIds: string[] = [];
  /** By number, as the model has them. */
  readonly shareIds: string[] = [];
  readonly #cookies = new Map<number, string>();

  private constructor(context: ControlContext, clock: TestClock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** New people with addresses of their own, in a store that may hold other worlds. */
  static async make(context: ControlContext, clock: TestClock, addresses: readonly string[]): Promise<World> {
    const world = new World(context, clock);
    for (const email of addresses) world.#people.push(await addAccount({ store: context.store, clock }, { email }));
    await world.#write(async (sql) => {
      for (const [person, { accountId: id }] of world.#people.entries()) {
        await sql
          .updateTable('accounts')
          .set({ password_hash: hashes[person] ?? null })
          .where('id', '=', id)
          .execute();
      }
      const now = clock.epochSeconds();
      const at = (seconds: number | null) => (seconds === null ? null : now + seconds);
      for (const { owner, from, until } of plan.credentials) {
        const id = makeId('credential', randomBytes(16));
        world.#credentialIds.push(id);
        await insertCredential(sql, {
          ...{ id, account_id: world.accountId(owner), name: 'Hillside staff card', issuer: 'Hillside', picture: null },
          ...{ valid_from_at: at(from), valid_until_at: at(until), created_at: now, created_by: 'operator' },
          ...{ withdrawn_at: null, withdrawn_by: null },
        });
      }
      for (const { credential, collection, path } of plan.keys) {
        const id = makeId('credentialKey', randomBytes(16));
        world.#keyIds.push(id);
        await insertCredentialKey(sql, {
          ...{ id, credential_id: world.#credentialIds[credential] ?? '', name: 'door', collection, host: plan.host },
          ...{ path, methods: null, needs_second_factor: 0, created_at: now, created_by: 'operator' },
          ...{ removed_at: null, removed_by: null },
        });
      }
    });
    return world;
  }

  /** Everybody signs in again. */
  async signIn(): Promise<void> {
    for (const [index, person] of this.#people.entries()) this.#people[index] = await addDevice(this.#context, person);
  }

  accountId(person: number): string {
    return this.#person(person).accountId;
  }

  /** What an edge is told when this person asks for a path. */
  async ask(person: number, path: string): Promise<AccessAnswer | null> {
    const { accountId: account, sessionId: session, deviceId: device } = this.#person(person);
    const answer = await answerAccess(this.#context, { account, session, device, host: plan.host, path });
    return answer.kind === 'ended' ? null : answer;
  }

  /** The shares by which a person holds a key, by number. */
  async heldBy(person: number, key: number): Promise<number[]> {
    const held = await findHeldKeys(
      this.#context.store.sql,
      this.accountId(person),
      this.#keyId(key),
      this.#clock.epochSeconds(),
    );
    return held.flatMap(({ shareId }) => (shareId === null ? [] : [this.shareIds.indexOf(shareId)])).sort();
  }

  /** @returns what was made; null when it was refused */
  async give({ giver, key, address, depthBelow, from, until, uses }: Gift): Promise<MadeShare | null> {
    const outcome = await giveShare(this.#context, this.#person(giver), {
      ...{ keyId: this.#keyId(key), email: address, reshareDepth: depthBelow, usesAllowed: uses, origin: noOrigin },
      ...{ usableFromAt: from, usableUntilAt: until },
    });
    if (outcome.kind !== 'given') return null;
    const row = await findShare(this.#context.store.sql, outcome.share.id);
    this.shareIds.push(outcome.share.id);
    const { usableFromAt, usableUntilAt } = outcome.share;
    const parent = row?.parent_id == null ? null : this.shareIds.indexOf(row.parent_id);
    return { parent, from: usableFromAt, until: usableUntilAt };
  }

  /** The transport takes every mail that waits. */
  async deliver(): Promise<void> {
    await this.#write(async (sql) => {
      for (const id of this.shareIds) await noteMailHandedOver(sql, id, this.#clock.epochSeconds());
    });
  }

  /** This browser opens the message and asks for the key. */
  async request(browser: number, share: number): Promise<boolean> {
    const row = await findShare(this.#context.store.sql, this.#shareId(share));
    const held = this.#cookies.get(browser);
    const outcome = await requestShare(this.#context, {
      ...{ shareId: this.#shareId(share), secret: row === null ? null : openShareSecret(this.#context, row) },
      ...{ actor: null, held: held === undefined ? [] : [held], wants: 'any', origin: noOrigin },
    });
    if (outcome.kind === 'requested') this.#cookies.set(browser, outcome.request);
    return outcome.kind === 'requested';
  }

  /** The third message: this browser's request, and somebody's password. @returns null where so many were wrong that nothing was looked at */
  async accept(browser: number, typed: number | null): Promise<boolean | null> {
    const request = this.#cookies.get(browser);
    if (request === undefined) return false;
    const outcome = await acceptShare(this.#context, {
      ...{ request, deviceCookie: null, userAgent: '', requestId: null },
      // everybody sits in a network of their own, so that nobody waits for the guesses of others
      clientAddress: `2001:db8:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`,
      proof: { kind: 'password', password: passwordOf(typed ?? peopleCount) },
    });
    return outcome.kind === 'busy' ? null : outcome.kind === 'accepted';
  }

  async end(share: number, how: Ending, by: number): Promise<boolean> {
    const shareId = this.#shareId(share);
    const actor = this.#person(by);
    if (how === 'decline' || how === 'leave') {
      const declined =
        how === 'decline'
          ? await declineShare(this.#context, { shareId, secret: null, actor, origin: noOrigin })
          : await leaveShare(this.#context, actor, { shareId, origin: noOrigin });
      return declined.kind === 'done' && declined.moved;
    }
    const outcome = await endShare(this.#context, actor, { shareId, event: how, origin: noOrigin });
    return outcome.kind === 'done' && outcome.moved;
  }

  /** @returns the share's window; null when the change was refused */
  async change(share: number, by: number, { from, until }: Window): Promise<Window | null> {
    const window = { usableFromAt: from, usableUntilAt: until };
    const change = { shareId: this.#shareId(share), ...window, origin: noOrigin };
    const outcome = await changeShare(this.#context, this.#person(by), change);
    if (outcome.kind !== 'changed') return null;
    return { from: outcome.share.usableFromAt, until: outcome.share.usableUntilAt };
  }

  async withdrawCredential(credential: number): Promise<boolean> {
    const id = this.#credentialIds[credential] ?? '';
    const outcome = await withdrawCredential(this.#context, { kind: 'operator' }, id, noOrigin);
    return outcome.kind === 'ended' && outcome.wasLive;
  }

  async removeKey(key: number): Promise<boolean> {
    const outcome = await removeKey(this.#context, { kind: 'operator' }, this.#keyId(key), noOrigin);
    return outcome.kind === 'ended' && outcome.wasLive;
  }

  async setAccount(person: number, how: 'disable' | 'enable' | 'delete'): Promise<boolean> {
    const change = { disable: adminDisable, enable: adminEnable, delete: deleteAccount }[how];
    const outcome = await change(this.#context, { kind: 'operator' }, { accountId: this.accountId(person) });
    if (how === 'enable') this.#people[person] = await addDevice(this.#context, this.#person(person));
    return outcome.kind === 'done' || outcome.kind === 'deleted';
  }

  /** The account takes another address, with the code that was mailed there. */
  async move(person: number, address: string): Promise<boolean> {
    const actor = this.#person(person);
    const { value: code } = await this.#context.write((unit) =>
      issueCode(unit, this.#context, {
        ...{ purpose: 'change-address', accountId: actor.accountId, details: { newEmail: address } },
      }),
    );
    const browser = { deviceCookie: null, clientAddress: '2001:db8::1' };
    const outcome = await confirmAddressChange(this.#context, { code, actor, ...browser });
    if (outcome.kind !== 'changed') return false;
    this.#people[person] = await addDevice(this.#context, { ...actor, email: address });
    return true;
  }

  async #write<T>(
    work: (sql: Sql, append: (kind: 'touch' | 'revoke', node: string) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const written = await this.#context.write((unit) =>
      work(unit.sql, async (kind, node) => {
        await unit.append({ kind, node });
      }),
    );
    return written.value;
  }

  #person(index: number): AccountActor {
    const person = this.#people[index];
    if (person === undefined) throw new Error(`no person ${index}`);
    return person;
  }

  #keyId(index: number): string {
    return this.#keyIds[index] ?? '';
  }

  #shareId(index: number): string {
    return this.shareIds[index] ?? '';
  }
}
