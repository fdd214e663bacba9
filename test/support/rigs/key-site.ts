// A portal where the owner has a credential with a key, and visitors who give, get and hold it by the pages. Credential and key are written as
// rows, and a share is accepted by the statements of the store: how these come about is tested where they are made.

import { digestOf } from '../../../gateway/core/model/digest.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { openRequest, spendRequest } from '../../../gateway/store/sharing/share-requests.ts';
import { acceptShare, noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import { pageProblems } from '../clients/page-checks.ts';
import { type Answer, makePortal, type PortalRig, type Visitor } from './portal-rig.ts';

export const keyId = 'dk_key0000000000000000001';
const credentialId = 'cd_card000000000000000001';
export const ownerEmail = 'owner@example.org';

interface KeySite {
  readonly portal: PortalRig;
  readonly owner: Visitor;
  /** Makes an account, and signs it in. */
  readonly signedIn: (email: string, role?: 'user' | 'admin') => Promise<Visitor>;
  /** Hands the message of a share over, as the outbox does. */
  readonly handOver: (shareId: string) => Promise<void>;
  /** Hands the message over and accepts the share, as the account of an address. */
  readonly accept: (shareId: string, email: string) => Promise<void>;
  /** The page at an address behind the prefix. Throws when a checker finds something wrong with it. */
  readonly page: (visitor: Visitor, path: string) => Promise<Answer>;
  /** Offers the key by the form. @returns the id of the share */
  readonly give: (visitor: Visitor, fields: Readonly<Record<string, string>>) => Promise<string>;
}

/** @param depth  what the configuration lets people share on */
export async function makeKeySite({ depth = 0 } = {}): Promise<KeySite> {
  const portal = await makePortal();
  portal.configure((config) => ({
    ...config,
    sharing: { ...config.sharing, reshareDepth: depth },
    routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
  }));
  const { store } = portal;
  const signedIn: KeySite['signedIn'] = async (email, role) => {
    await portal.addAccount(email, role);
    const visitor = portal.visitor();
    await visitor.signIn(email);
    return visitor;
  };
  const owner = await signedIn(ownerEmail);
  const accountOf = async (email: string): Promise<string> => {
    const rows = store.sql.selectFrom('accounts').select('id').where('email', '=', email);
    return (await rows.where('email_verified_at', 'is not', null).executeTakeFirstOrThrow()).id;
  };
  const ownerId = await accountOf(ownerEmail);
  await store.write(async ({ sql, now }) => {
    await insertCredential(sql, {
      ...{ id: credentialId, account_id: ownerId, name: 'Staff <card>', issuer: 'Hillside & Sons', picture: null },
      ...{ valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
      ...{ withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{ id: keyId, credential_id: credentialId, name: 'Front <door>', collection: 'summer' },
      ...{ host: 'media.localhost', path: '/vod/summer/', methods: null, needs_second_factor: 0, created_at: now },
      ...{ created_by: 'operator', removed_at: null, removed_by: null },
    });
  });
  const page: KeySite['page'] = async (visitor, path) => {
    const answer = await visitor.follow(await visitor.get(`/.latchkey/${path}`));
    const problems = pageProblems(answer.text);
    if (problems.length > 0) throw new Error(`${path}: ${problems.join('; ')}`);
    return answer;
  };
  return {
    ...{ portal, owner, signedIn, page },
    handOver: async (shareId) => {
      await store.write(({ sql, now }) => noteMailHandedOver(sql, shareId, now));
    },
    accept: async (shareId, email) => {
      const accountId = await accountOf(email);
      const request = { selector: `s${shareId}`, digest: digestOf(shareId) };
      const { value } = await store.write(async ({ sql, now }) => {
        await noteMailHandedOver(sql, shareId, now);
        await openRequest(sql, { ...request, shareId, expiresAt: now + 900, digits: null }, now);
        return (
          (await acceptShare(sql, { shareId, accountId, request, now })) && (await spendRequest(sql, request, now))
        );
      });
      if (!value) throw new Error('not accepted');
    },
    give: async (visitor, fields) => {
      const form = await page(visitor, `keys/${keyId}/share`);
      const { location } = await visitor.submit(form, `/keys/${keyId}/share`, fields);
      const id = /\/shares\/(sh_[\w-]{22})\?done=given$/.exec(location ?? '')?.[1];
      if (id === undefined) throw new Error(`not given: ${location}`);
      return id;
    },
  };
}
