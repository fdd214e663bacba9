// A portal whose collection has links that are claimed, for the tests of what happens when a tokenized URL is opened.
// Knows how a link is made, how a visitor comes to be signed in on both hosts, and what a claim would have written.

import { expect } from 'vitest';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { type Answer, makePortal, mediaOrigin, type PortalRig, type Visitor } from './portal-rig.ts';

type NewLink = Parameters<typeof createLink>[2];

/** The fields that a browser sends for an address that was typed. */
export const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
/** The fields that a browser sends when a link of another site was followed. */
export const fromElsewhere = { ...direct, 'sec-fetch-site': 'cross-site' };
export const operator = { kind: 'operator' } as const;

export interface ClaimRig {
  readonly portal: PortalRig;
  /** A link to the collection `summer`, with these fields beside the usual ones. */
  readonly makeUrl: (fields?: Partial<NewLink>) => Promise<{ readonly url: string; readonly id: string }>;
  /** A browser that is signed in at the portal, and on the content's host as well. */
  readonly signedIn: (email: string) => Promise<Visitor>;
  /** Everything that a claim writes, as one text: equal before and after means that nothing was claimed. */
  readonly counts: () => Promise<string>;
}

/** A new portal with a route `/vod/` and the collection's owner. @param options  as of the portal */
export async function makeClaimRig(options: Parameters<typeof makePortal>[0] = {}): Promise<ClaimRig> {
  const portal = await makePortal(options);
  portal.configure((config) => {
    const [route] = config.routes;
    if (route === undefined) throw new Error('the sample has no route');
    return { ...config, routes: [{ ...route, host: 'media.localhost', path: '/vod/' }] };
  });
  await portal.addAccount('owner@example.org');

  async function makeUrl(fields: Partial<NewLink> = {}): Promise<{ readonly url: string; readonly id: string }> {
    const input = { collection: 'summer', label: 'Film <night>', requestId: null, ...fields };
    const made = await createLink(portal.context, operator, input);
    if (made.kind !== 'created') throw new Error(`no link: ${JSON.stringify(made)}`);
    return { url: made.url, id: made.link.id };
  }

  async function signedIn(email: string): Promise<Visitor> {
    await portal.addAccount(email);
    const visitor = portal.visitor();
    await visitor.signIn(email);
    await visitor.follow(await visitor.get(`${mediaOrigin}/.latchkey/login?return=%2Fvod%2Fsummer%2F`));
    expect(visitor.cookies.get('media.localhost')?.has('latchkey')).toBe(true);
    // whoever signs in in the second in which a link is opened did so for the link
    portal.clock.now += 60;
    return visitor;
  }

  async function counts(): Promise<string> {
    const of = async (table: 'members' | 'changes' | 'audit' | 'outbox') =>
      (await portal.store.sql.selectFrom(table).selectAll().execute()).length;
    const used = await portal.store.sql.selectFrom('links').select(['id', 'claims_used']).orderBy('id').execute();
    return JSON.stringify([await of('members'), await of('changes'), await of('audit'), await of('outbox'), used]);
  }

  return { portal, makeUrl, signedIn, counts };
}

/** The line of the cookie that holds a pass; undefined without one. */
export function passOf(answer: Answer): string | undefined {
  return answer.cookies.find((line) => line.startsWith('latchkey_pass='));
}

/** The link's token, as the URL has it. */
export function secretOf(url: string): string {
  return new URL(url).searchParams.get('authtoken') ?? '';
}
