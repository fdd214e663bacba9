// Control on a real store with a credential, a key that hangs off it, and its owner signed in, for tests of keys that people share.
// Credential and key are written as rows: how they come about is tested where they are made.

import type { SharingConfig } from '../../../gateway/config/compiled/control-config.ts';
import { giveShare } from '../../../gateway/control/sharing/give-share.ts';
import type { ShareView } from '../../../gateway/control/sharing/share-view.ts';
import { digestOf } from '../../../gateway/core/model/digest.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { openRequest, spendRequest } from '../../../gateway/store/sharing/share-requests.ts';
import { acceptShare, findShare, noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import type { EngineName } from '../store/stores.ts';
import { testConfig } from './control.ts';
import { type AccountActor, type LinkRig, makeLinkRig } from './link-rig.ts';

type NewShare = Parameters<typeof giveShare>[2];

export interface ShareRig extends LinkRig {
  readonly keyId: string;
  readonly credentialId: string;
  /** Changes settings of `sharing` from now on. */
  readonly sharing: (changes: Partial<SharingConfig>) => void;
  /** What `giveShare` says. Default: the owner gives the key. */
  readonly give: (email: string, changes?: Partial<NewShare>, by?: AccountActor) => ReturnType<typeof giveShare>;
  /** The share that was given. Throws when it was refused. */
  readonly given: (email: string, changes?: Partial<NewShare>, by?: AccountActor) => Promise<ShareView>;
  /** Hands the share's message over, asks and accepts, as `actor`, by the statements of the store. Throws when it may not be accepted. */
  readonly accept: (shareId: string, actor: AccountActor) => Promise<void>;
}

export const atHome = { requestId: 'request-1', clientAddress: '192.0.2.7' };

const cam = { name: 'cam', host: 'media.localhost', path: '/cam/hillside/', owners: [], methods: null };

export async function makeShareRig(engine: EngineName, nodes = 1): Promise<ShareRig> {
  const rig = await makeLinkRig(engine, nodes);
  const { context, store, owner } = rig;
  const defaults = testConfig().sharing;
  const sharing = (changes: Partial<SharingConfig>): void => rig.configure({ sharing: { ...defaults, ...changes } });
  rig.configure({ collections: [cam] });
  const [keyId, credentialId] = ['dk_key0000000000000000001', 'cd_card000000000000000001'];
  await store.write(async ({ sql, now }) => {
    await insertCredential(sql, {
      ...{ id: credentialId, account_id: owner.accountId, name: 'Staff card', issuer: 'Hillside', picture: null },
      ...{ valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
      ...{ withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{ id: keyId, credential_id: credentialId, name: 'Front door', collection: 'cam', host: cam.host },
      ...{ path: cam.path, methods: null, needs_second_factor: 0, created_at: now, created_by: 'operator' },
      ...{ removed_at: null, removed_by: null },
    });
  });
  const give: ShareRig['give'] = (email, changes = {}, by = owner) =>
    giveShare(context, by, { keyId, email, origin: atHome, ...changes });
  return {
    ...{ ...rig, keyId, credentialId, sharing, give },
    given: async (email, changes, by) => {
      const outcome = await give(email, changes, by);
      if (outcome.kind !== 'given') throw new Error(`not given: ${JSON.stringify(outcome)}`);
      return outcome.share;
    },
    accept: async (shareId, { accountId }) => {
      const request = { selector: `s${shareId}`, digest: digestOf(shareId) };
      const { value } = await store.write(async ({ sql, now }) => {
        await noteMailHandedOver(sql, shareId, now);
        await openRequest(sql, { ...request, shareId, expiresAt: now + 900, digits: null }, now);
        const isAccepted = await acceptShare(sql, { shareId, accountId, request, now });
        return isAccepted && (await spendRequest(sql, request, now));
      });
      if (!value) throw new Error(`not accepted: ${JSON.stringify(await findShare(store.sql, shareId))}`);
    },
  };
}
