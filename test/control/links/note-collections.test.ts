// A change of collections in the configuration ends the answers that were given before it, even when the gateway did not run meanwhile.

import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { CollectionConfig } from '../../../gateway/config/compiled/control-config.ts';
import type { ControlContext } from '../../../gateway/control/context/control-context.ts';
import { noteCollections, startCollectionNotes } from '../../../gateway/control/links/note-collections.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { writeMark } from '../../../gateway/store/rows/store-marks.ts';
import { type LinkRig, makeLinkRig } from '../../support/rigs/link-rig.ts';

let rig: LinkRig;
let context: ControlContext;

beforeEach(async () => {
  rig = await makeLinkRig('sqlite');
  context = rig.context;
});

afterEach(() => context.store.close());

const summer: CollectionConfig = {
  name: 'summer',
  host: 'media.localhost',
  path: '/vod/summer/',
  owners: ['owner@example.org'],
  methods: null,
};
const winter: CollectionConfig = { ...summer, name: 'winter', path: '/vod/winter/' };

/** Notes these collections. @returns the changes that were appended to the log */
async function note(...collections: readonly CollectionConfig[]) {
  const before = await context.store.readPosition();
  rig.configure({ collections });
  await noteCollections(context);
  const read = await context.store.readChanges(before);
  return read.kind === 'changes' ? read.changes.map(({ kind, node }) => `${kind} ${node}`) : read.kind;
}

test('the first start and an unchanged configuration end nothing', async () => {
  expect(await note(summer)).toEqual([]);
  expect(await note(summer)).toEqual([]);
  expect(await note({ ...summer, owners: ['owner@example.org'] })).toEqual([]);
});

test.each<[string, CollectionConfig]>([
  ['another owner', { ...summer, owners: ['else@example.org'] }],
  ['one owner less', { ...summer, owners: [] }],
  ['another folder', { ...summer, path: '/vod/' }],
  ['another host', { ...summer, host: 'other.localhost' }],
  ['methods that are taken away', { ...summer, methods: ['GET', 'HEAD'] }],
])('%s ends what was opened by the collection', async (_what, changed) => {
  await note(summer, winter);
  expect(await note(changed, winter)).toEqual(['revoke co_summer']);
  expect(await note(changed, winter)).toEqual([]);
});

test('what a former version noted of a collection without methods is no change, and the order of methods is none', async () => {
  await context.write(async (unit) => {
    await writeMark(
      unit.sql,
      'collections',
      '{"summer":"[\\"media.localhost\\",\\"/vod/summer/\\",[\\"owner@example.org\\"]]"}',
    );
  });
  expect(await note(summer)).toEqual([]);
  expect(await note({ ...summer, methods: ['GET', 'HEAD'] })).toEqual(['revoke co_summer']);
  expect(await note({ ...summer, methods: ['HEAD', 'GET'] })).toEqual([]);
  expect(await note(summer)).toEqual(['revoke co_summer']);
});

test('the passes of a removed collection end, and a new collection makes edges ask again', async () => {
  await note(summer);
  expect(await note(winter)).toEqual(['revoke co_summer', 'touch co_winter']);
});

test('a node that reloads after another node ends the answers that it gave by its former file', async () => {
  await note(summer);
  await note({ ...summer, owners: [] });
  const before = await context.store.readPosition();
  expect(await noteCollections(context, [[summer]])).toEqual(['summer']);
  expect(await context.store.readChanges(before)).toMatchObject({ changes: [{ kind: 'revoke', node: 'co_summer' }] });
  expect(await noteCollections(context, [[{ ...summer, owners: [] }]])).toEqual([]);
});

test('a change that could not be stored is noted once the store is back, with the changes that came meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await note(summer, winter);
  const before = await context.store.readPosition();
  let isAway = true;
  const write: ControlContext['write'] = async (work) => {
    if (isAway) throw new StoreAway('away');
    return await context.write(work);
  };
  const notes = startCollectionNotes({ ...context, write });
  rig.configure({ collections: [{ ...summer, owners: [] }, winter] });
  notes.changed([summer, winter]);
  rig.configure({ collections: [summer, winter] });
  notes.changed([{ ...summer, owners: [] }, winter]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(await context.store.readPosition()).toEqual(before);
  isAway = false;
  await vi.advanceTimersByTimeAsync(1000);
  await expect.poll(async () => (await context.store.readPosition()).seq).toBe(before.seq + 1);
  expect(await context.store.readChanges(before)).toMatchObject({ changes: [{ kind: 'revoke', node: 'co_summer' }] });
  notes.close();
});
