// An observer of the feed that does nothing, for tests that listen to a part of the feed.

import type { FeedObserver } from '../../gateway/edge/live/control-client.ts';

export const ignoringObserver: FeedObserver = {
  snapshot: () => undefined,
  keys: () => undefined,
  log: () => undefined,
  tickets: () => undefined,
};
