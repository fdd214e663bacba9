// A ledger of decisions that keeps nothing, for a context without a data folder.

import type { DecisionLedger } from '../../gateway/control/context/control-context.ts';

export const noLedger: DecisionLedger = {
  appendLines: () => undefined,
  append: () => undefined,
  find: () => Promise.resolve([]),
  droppedBytes: () => 0,
  forgetOld: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
