// The configured collections are part of every access answer, so a change of the collections ends the answers that were given before:
// an owner was removed, a folder moved, methods were taken away, or a collection is gone. Changes are noted at the start and at each reload.
// The store remembers the collections that were in force last, so a change that was made while the gateway did not run counts as well.
// Each node notes its own change: until its reload, a node answered by its former file, even if another node had noted the change by then.

import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import { readMark, writeMark } from '../../store/rows/store-marks.ts';
import type { ControlContext } from '../context/control-context.ts';

const markName = 'collections';
const retryMs = 1000;

type Collections = readonly CollectionConfig[];

/**
 * @param formers  collections that this control has answered by and whose end is not noted yet. Default: none
 * @returns names of the collections whose passes and answers were ended. @throws StoreAway
 */
export async function noteCollections(
  context: ControlContext,
  formers: readonly Collections[] = [],
): Promise<readonly string[]> {
  const present = describe(context.config().collections);
  const { value } = await context.write(async (unit) => {
    const mark = await readMark(unit.sql, markName);
    const before = mark === null ? null : parseMark(mark);
    const known = [...(before === null ? [] : [before]), ...formers.map(describe)];
    const changed = new Set(known.flatMap((was) => Object.keys(was).filter((name) => was[name] !== present[name])));
    for (const name of changed) await unit.append({ kind: 'revoke', node: collectionSubject(name) });
    // Questions about a new collection were answered with no until now.
    const added = before === null ? [] : Object.keys(present).filter((name) => before[name] === undefined);
    for (const name of added) await unit.append({ kind: 'touch', node: collectionSubject(name) });
    if (before !== null && changed.size === 0 && added.length === 0) return [];
    await writeMark(unit.sql, markName, JSON.stringify(present));
    return [...changed];
  });
  return value;
}

interface CollectionNotes {
  /** To be called when the configuration was replaced. @param former  the collections until now */
  readonly changed: (former: Collections) => void;
  readonly close: () => void;
}

/** Notes each change of the configuration, and tries again until the store has it: access by the former configuration lives on until then. */
export function startCollectionNotes(context: ControlContext): CollectionNotes {
  const { logger } = context;
  let unnoted: readonly Collections[] = [];
  let isRunning = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const noteAll = async (): Promise<void> => {
    clearTimeout(timer);
    if (isRunning) return;
    isRunning = true;
    while (unnoted.length > 0 && !isClosed) {
      const formers = unnoted;
      try {
        const names = await noteCollections(context, formers);
        unnoted = unnoted.slice(formers.length);
        if (names.length > 0) logger.info({ names }, 'collections changed; what was opened by them is asked anew');
      } catch (error) {
        if (isClosed) break;
        logger.error({ err: error }, 'changed collections could not be noted; it is tried again');
        timer = setTimeout(() => void noteAll(), retryMs);
        break;
      }
    }
    isRunning = false;
  };
  return {
    changed: (former) => {
      unnoted = [...unnoted, former];
      void noteAll();
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

type Described = Readonly<Record<string, string>>;

function describe(collections: Collections): Described {
  return Object.fromEntries(
    collections.map(({ name, host, path, owners, methods }) => {
      // Nothing is added where all methods are allowed: what a former version noted of such a collection stays equal.
      const limits = methods === null ? [] : [[...methods].sort()];
      return [name, JSON.stringify([host, path, [...owners].sort(), ...limits])];
    }),
  );
}

/** Parses a text that this file wrote, so the text is not checked. */
function parseMark(text: string): Described {
  return JSON.parse(text) as Described;
}
