// A key and its owner on a control with passwords and sessions, for tests of those who are offered a key: the owner signed in, the messages
// that were handed over, and what a recipient reads in them.

import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import type { Actor } from '../../../gateway/control/context/control-context.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { giveShare } from '../../../gateway/control/sharing/give-share.ts';
import { requestShare } from '../../../gateway/control/sharing/request-share.ts';
import { findVerifiedAccount } from '../../../gateway/store/rows/accounts.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { findHeldKeys } from '../../../gateway/store/sharing/share-chains.ts';
import { findShare, noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import type { EngineName } from '../store/stores.ts';
import { browser, makeContext, type TestContext } from './control-context.ts';

const ownerAddress = 'owner@example.org';
const ownerPassword = 'seven green lanterns';

/** The collection that the key opens. */
export const keyYaml =
  'collections: [{ name: summer, host: media.localhost, path: /vod/summer/, owners: [owner@example.org] }]\n';

type NewShare = Parameters<typeof giveShare>[2];

type AccountActor = Extract<Actor, { kind: 'account' }>;

/** A share as its message has it. */
export interface Offered {
  readonly shareId: string;
  readonly secret: string;
  /** `<share id>.<secret>`, as the address in the message has it. */
  readonly code: string;
}

export interface OfferRig {
  readonly owner: AccountActor;
  readonly keyId: string;
  readonly credentialId: string;
  /** Another key of the same credential, which opens the same. */
  readonly otherKeyId: string;
  /** Offers the key. The message is handed over, unless `waits` says that it is still on its way. */
  readonly offer: (
    email: string,
    changes?: Partial<NewShare> & { readonly waits?: true; readonly by?: AccountActor },
  ) => Promise<Offered>;
  /** The newest digits that were mailed to an address for a key; empty for none. */
  readonly digits: (email: string) => Promise<string>;
}

export async function addKey(site: TestContext): Promise<OfferRig> {
  const { context, store } = site;
  await createAccount(
    context,
    { kind: 'operator' },
    { email: ownerAddress, displayName: 'Olive', invited: false, password: ownerPassword },
  );
  const owner = await signInAs(site, ownerAddress, ownerPassword);
  const [keyId, otherKeyId] = ['dk_key0000000000000000001', 'dk_key0000000000000000002'];
  const credentialId = 'cd_card000000000000000001';
  await store.write(async ({ sql, now }) => {
    await insertCredential(sql, {
      ...{ id: credentialId, account_id: owner.accountId, name: 'Staff card', issuer: 'Hillside', picture: null },
      ...{ valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
      ...{ withdrawn_at: null, withdrawn_by: null },
    });
    for (const id of [keyId, otherKeyId])
      await insertCredentialKey(sql, {
        ...{ id, credential_id: credentialId, name: 'Front door', collection: 'summer', host: 'media.localhost' },
        ...{ path: '/vod/summer/', methods: null, needs_second_factor: 0, created_at: now, created_by: 'operator' },
        ...{ removed_at: null, removed_by: null },
      });
  });
  return {
    ...{ owner, keyId, otherKeyId, credentialId },
    offer: async (email, { waits, by = owner, ...changes } = {}) => {
      const origin = { requestId: 'request-1', clientAddress: '192.0.2.7' };
      const outcome = await giveShare(context, by, { keyId, email, origin, ...changes });
      if (outcome.kind !== 'given') throw new Error(`not given: ${JSON.stringify(outcome)}`);
      const shareId = outcome.share.id;
      if (waits !== true) await store.write((unit) => noteMailHandedOver(unit.sql, shareId, unit.now));
      const codes = (await site.mails()).map(({ code }) => code);
      const code = codes.findLast((each) => each.startsWith(`${shareId}.`)) ?? '';
      return { shareId, secret: code.slice(code.indexOf('.') + 1), code };
    },
    digits: async (email) => {
      const mail = (await site.mails(email)).filter(({ kind }) => kind === 'key-code').at(-1);
      return /Your code: (\d{6})/.exec(mail?.text ?? '')?.[1] ?? '';
    },
  };
}

/** Signs in with a password. Throws when that is refused. */
export async function signInAs(site: TestContext, email: string, password: string): Promise<AccountActor> {
  const outcome = await signIn(site.context, { ...browser, email, password });
  if (outcome.kind !== 'signed-in') throw new Error(outcome.kind);
  const { kind, accountId, sessionId, deviceId, role, email: address } = await site.actor(outcome.session);
  return { kind, accountId, sessionId, deviceId, role, email: address };
}

const origin = { requestId: 'request-2', clientAddress: '198.51.100.9' };
/** Has an account with `password`. */
export const anna = 'anna@example.org';
/** Has none. */
export const guest = 'nobody@example.org';
export const password = 'tall ships sail at dawn';
/** What somebody chooses who had none. */
export const newPassword = 'nine quiet harbours';

export interface OfferSite extends TestContext, OfferRig {}

export async function makeOfferSite(engine: EngineName = 'sqlite'): Promise<OfferSite> {
  const site = await makeContext({ engine, yaml: keyYaml });
  site.configure((config) => ({ ...config, sharing: { ...config.sharing, invite: 'anyone', reshareDepth: 2 } }));
  const key = await addKey(site);
  await createAccount(site.context, { kind: 'operator' }, { email: anna, invited: false, password });
  return { ...site, ...key };
}

/** Asks for a key by the message. */
export async function ask(
  site: OfferSite,
  offered: Offered,
  changes: Partial<Parameters<typeof requestShare>[1]> = {},
) {
  const { shareId, secret } = offered;
  return requestShare(site.context, { shareId, secret, actor: null, held: [], wants: 'any', origin, ...changes });
}

/** The request of a browser that asked. Throws when it was refused. */
export async function asked(site: OfferSite, offered: Offered): Promise<string> {
  const outcome = await ask(site, offered);
  if (outcome.kind !== 'requested') throw new Error(outcome.kind);
  return outcome.request;
}

export const byPassword = (request: string, typed = password) =>
  ({ ...browser, request, proof: { kind: 'password', password: typed } }) as const;
export const byDigits = (request: string, digits: string, chosen = newPassword) =>
  ({ ...browser, request, proof: { kind: 'digits', digits, newPassword: chosen } }) as const;

export const stateOf = async (site: OfferSite, { shareId }: Offered) =>
  (await findShare(site.store.sql, shareId))?.state;
export const holds = async (site: OfferSite, email: string): Promise<boolean> => {
  const id = (await findVerifiedAccount(site.store.sql, email))?.id ?? '';
  return (await findHeldKeys(site.store.sql, id, site.keyId, site.clock.now)).length > 0;
};
