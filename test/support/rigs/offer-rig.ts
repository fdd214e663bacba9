// A key and its owner on a control with passwords and sessions, for tests of those who are offered a key: the owner signed in, the messages
// that were handed over, and what a recipient reads in them.

import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import type { Actor } from '../../../gateway/control/context/control-context.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { giveShare } from '../../../gateway/control/sharing/give-share.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import { browser, type TestContext } from './control-context.ts';

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
  const [keyId, credentialId] = ['dk_key0000000000000000001', 'cd_card000000000000000001'];
  await store.write(async ({ sql, now }) => {
    await insertCredential(sql, {
      ...{ id: credentialId, account_id: owner.accountId, name: 'Staff card', issuer: 'Hillside', picture: null },
      ...{ valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
      ...{ withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{ id: keyId, credential_id: credentialId, name: 'Front door', collection: 'summer', host: 'media.localhost' },
      ...{ path: '/vod/summer/', methods: null, needs_second_factor: 0, created_at: now, created_by: 'operator' },
      ...{ removed_at: null, removed_by: null },
    });
  });
  return {
    ...{ owner, keyId, credentialId },
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
