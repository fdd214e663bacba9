// "History" and "People" for administrators: names and links instead of ids, search by who, what and when, files without formulas, the blocked folded.

import { describe, expect, test } from 'vitest';
import { csvText } from '../../../gateway/api/look/csv.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { makePortal, type PortalRig, type Visitor } from '../../support/rigs/portal-rig.ts';

async function withHistory(): Promise<{ portal: PortalRig; ann: Visitor; benId: string; linkId: string }> {
  const portal = await makePortal();
  portal.clock.now = Date.UTC(2026, 10, 20, 10) / 1000;
  await portal.addAccount('ann@example.org', 'admin');
  const benId = await portal.addAccount('ben@example.org');
  portal.clock.now += 86_400;
  const operator = { kind: 'operator' } as const;
  const made = await createLink(portal.context, operator, { collection: 'summer', label: 'Films', requestId: null });
  if (made.kind !== 'created') throw new Error(made.kind);
  await revokeLink(portal.context, operator, made.link.id, 'request-9');
  const ann = portal.visitor();
  await ann.signIn('ann@example.org');
  return { portal, ann, benId, linkId: made.link.id };
}

/** The cells "What" and "To" of each row, as texts. */
function rowsOf(page: string): string[] {
  return [...page.matchAll(/<tr role="row"><td.*?<\/td><td role="cell">(.*?)<\/td><td role="cell">(.*?)<\/td>/g)].map(
    ([, what = '', to = '']) => `${what} | ${to.replace(/<[^>]*>/g, '')}`,
  );
}

describe('the history', () => {
  test('shows names that lead to pages, and is searched by who, what and when', async () => {
    const { ann, benId, linkId } = await withHistory();
    const all = await ann.get('/.latchkey/admin/audit');
    expect(all.text).toContain(`<a href="/.latchkey/links/${linkId}">Films</a>`);
    expect(all.text).toContain(`<a href="/.latchkey/admin/accounts/${benId}">ben@example.org</a>`);
    expect(rowsOf(all.text)).toContain('The operator stopped sharing a link | Films');
    const rows = async (search: Record<string, string>): Promise<string[]> => {
      const found = await ann.get(`/.latchkey/admin/audit?${new URLSearchParams(search).toString()}`);
      expect([found.status, pageProblems(found.text)]).toEqual([200, []]);
      return rowsOf(found.text);
    };
    expect(await rows({ who: 'BEN@' })).toEqual(['The operator made an account | ben@example.org']);
    expect(await rows({ who: 'nobody at all' })).toEqual([]);
    expect((await rows({ what: 'sharing' })).slice(0, 2)).toEqual([
      'The operator stopped sharing a link | Films',
      'The operator made a link | Films',
    ]);
    expect(await rows({ what: 'accounts', who: 'operator', until: '2026-11-20T10:01' })).toHaveLength(2);
    expect(await rows({ what: 'accounts', from: '2026-11-20T10:01' })).toEqual([]);
    // the same moment on a clock two hours ahead
    expect(await rows({ what: 'accounts', until: '2026-11-20T12:00', zone: 'Africa/Cairo' })).toEqual([]);
    expect(await rows({ what: 'accounts', until: '2026-11-20T12:01', zone: 'Africa/Cairo' })).toHaveLength(2);
    const bad = await ann.get('/.latchkey/admin/audit?from=yesterday');
    expect([bad.status, bad.text.includes('This is no date and time.'), pageProblems(bad.text)]).toEqual([
      422,
      true,
      [],
    ]);
  });

  test('is a file of what was searched for, as CSV and as JSON lines', async () => {
    const { ann, linkId } = await withHistory();
    const page = await ann.get('/.latchkey/admin/audit?what=sharing');
    const csv = await ann.submit(page, '/admin/audit/export', { format: 'csv' });
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.headers['content-disposition']).toBe('attachment; filename="history.csv"');
    const [head, newest, ...others] = csv.text.split('\r\n');
    expect(head).toBe('at,actor,actor_name,action,subject,subject_name,details,request_id');
    expect(newest).toMatch(
      new RegExp(`^2026-11-21T10:00:00\\.000Z,operator,,link\\.revoked,${linkId},Films,.*request-9$`),
    );
    expect(others.join()).not.toContain('account.created');
    const lines = await ann.submit(page, '/admin/audit/export', { format: 'jsonl' });
    const records = lines.text
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(records[0]).toMatchObject({ action: 'link.revoked', subject_name: 'Films', request_id: 'request-9' });
  });

  test('attack: a name that a spreadsheet would take for a formula is a text in the file', () => {
    const names = ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', 'a,"b"\r\nc', 'plain', null, 3];
    expect(csvText([names])).toBe(`"'=1+1","'+1","'-1","'@SUM(A1)","' =1","'\t=1","a,""b""\r\nc",plain,,3\r\n`);
  });
});

test('people are found by status and role, who is blocked stands folded, and roles and states have plain names', async () => {
  const { portal, ann, benId } = await withHistory();
  await portal.addAccount('owner@example.org');
  const ben = await ann.get(`/.latchkey/admin/accounts/${benId}`);
  expect(ben.text).toContain('>Block</button>');
  const blocked = await ann.follow(await ann.submit(ben, '/disable', {}));
  expect(blocked.text).toContain('<span class="tag bad">blocked</span>');
  const people = async (search: string): Promise<string> => {
    const { text } = await ann.get(`/.latchkey/admin/accounts${search}`);
    expect(pageProblems(text)).toEqual([]);
    return text;
  };
  const all = await people('');
  expect(all).toMatch(/owner@example\.org<\/a><\/td><td role="cell"><\/td>\s*<td role="cell">Owner<\/td>/);
  const [open = '', folded = ''] = all.split('<summary>Blocked (1)</summary>');
  expect([open.includes('ben@example.org'), folded.includes('ben@example.org')]).toEqual([false, true]);
  expect(folded).toContain('>Guest</td>');
  const onlyBlocked = await people('?status=blocked');
  expect([onlyBlocked.includes('ben@example.org'), onlyBlocked.includes('owner@example.org')]).toEqual([true, false]);
  const admins = await people('?role=admin');
  expect([admins.includes('>ann@example.org</a>'), admins.includes('owner@example.org')]).toEqual([true, false]);
  expect(await people('?status=waiting')).toContain('Nobody was found.');
});
