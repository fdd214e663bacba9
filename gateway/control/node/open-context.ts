// Opens what the use cases of control work with: store, seal, key ring. For the control process, and for commands that
// work without a running gateway. Refusals are texts for people; nothing stays open after a refusal.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../../config/compiled/config.ts';
import type { LogPosition } from '../../core/model/change.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import { openStore } from '../../store/engine/open-store.ts';
import { openSealer } from '../../store/files/open-sealer.ts';
import { type Store, StoreAway } from '../../store/port/store.ts';
import { readMasterKey } from '../../store/seal/master-key.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { makeAfterwards } from '../context/afterwards.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { ControlContext } from '../context/control-context.ts';
import { makeControlTokens } from '../context/control-tokens.ts';
import { openDecisionFiles } from '../explain/decision-files.ts';
import { hasQueuedMail } from '../notify/queue-mail.ts';
import { makePasswordWork } from '../proof/password-work.ts';
import { makeFirstSigningKeys, RingInForce } from '../signing-keys/ring-in-force.ts';

interface ContextOptions {
  /** The configuration in force, asked anew each time. */
  readonly config: () => Config;
  /** The content keys that YAML declares; when the list is empty, the store's content keys count. */
  readonly declaredKeys: readonly SigningKey[];
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** Resolves when every edge of this node has applied the log up to this place. */
  readonly confirm: (position: LogPosition) => Promise<void>;
  /** Called when a unit that queued mail is durable. */
  readonly wakeOutbox: () => void;
  /** `refuse` for commands that only read: no key is made, and no table. Default `make`. */
  readonly missing?: 'make' | 'refuse';
  /** Default: the random bytes of node:crypto. */
  readonly random?: (bytes: number) => Buffer;
  /** Lets tests lose every NOTIFY. */
  readonly dropNotifications?: boolean;
}

export type OpenedContext =
  | {
      readonly kind: 'opened';
      readonly context: ControlContext;
      readonly ring: RingInForce;
      /** Files and keys that were made at this start, one line each, for the operator. */
      readonly notes: readonly string[];
      readonly close: () => Promise<void>;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

export async function openContext(options: ContextOptions): Promise<OpenedContext> {
  const { clock, logger } = options;
  const { store: settings } = options.config();
  const store = await openStore({
    settings,
    clock,
    logger,
    ...(options.missing === 'refuse' ? { migrations: 'check' as const } : {}),
    ...(options.dropNotifications === undefined ? {} : { dropNotifications: options.dropNotifications }),
  });
  if ('kind' in store) return store;
  try {
    const opened = await openWith(store, options);
    if (opened.kind === 'refused') await store.close();
    return opened;
  } catch (error) {
    await store.close();
    if (!(error instanceof StoreAway)) throw error;
    return { kind: 'refused', problem: error.message, hint: error.failure.hint };
  }
}

async function openWith(store: Store, options: ContextOptions): Promise<OpenedContext> {
  const { clock, logger, declaredKeys, missing = 'make', random = randomBytes } = options;
  const { dataDir, masterKeyFile } = options.config();
  const given = masterKeyFile === null ? null : readGiven(masterKeyFile);
  if (given?.kind === 'refused') return given;
  const seal = await openSealer({ store, dataDir, missing, ...(given === null ? {} : { given }) });
  if (seal.kind === 'refused') return seal;
  const { sealer } = seal;
  const notes: string[] = [];
  if (seal.made !== null)
    notes.push(`a master key was made in ${seal.made}: keep a copy elsewhere, no backup holds it`);
  if (missing === 'make') {
    const first = await makeFirstSigningKeys({ store, sealer, dataDir, random }, declaredKeys.length === 0);
    if (first.kind === 'refused') return first;
    if (first.movedFrom !== null) notes.push(`the content keys of ${first.movedFrom} are in the store now`);
    const content = first.made.filter((id) => !id.startsWith('i_') && first.movedFrom === null);
    for (const id of content) notes.push(`a content key was made: ${id}, in the store`);
  }
  const ring = new RingInForce({ store, sealer });
  ring.declare(declaredKeys);
  await ring.reload();
  // The log's own time is used, so that a clock that is wrong at one start removes no records.
  const recordClock = { epochSeconds: () => store.logTime() };
  const decisions = openDecisionFiles({ folder: join(dataDir, 'decisions'), clock: recordClock, logger });
  const context: ControlContext = {
    store,
    sealing: sealer,
    config: options.config,
    clock,
    random,
    tokens: makeControlTokens({ ring: () => ring.ring, config: options.config, now: clock.epochSeconds }),
    logger,
    decisions,
    write: async (work) => {
      let hasMail = false;
      const written = await store.write(async (unit) => {
        const value = await work(unit);
        hasMail = hasQueuedMail(unit);
        return value;
      });
      if (hasMail) options.wakeOutbox();
      if (written.changes > 0) await confirmOrAway(options, written.position);
      return written;
    },
    wakeOutbox: options.wakeOutbox,
    passwords: makePasswordWork({ checksPerSecond: () => options.config().passwordChecksPerSecond, clock }),
    afterwards: makeAfterwards({ logger, random }),
  };
  return { kind: 'opened', context, ring, notes, close: () => closeAll(context) };
}

/** A change is durable but not confirmed by every edge: the caller gets the same error as when the store is away. */
async function confirmOrAway({ confirm }: ContextOptions, position: LogPosition): Promise<void> {
  try {
    await confirm(position);
  } catch (error) {
    throw error instanceof StoreAway ? error : new StoreAway(error);
  }
}

/** Promised work is done before the store is closed. */
async function closeAll({ afterwards, decisions, store }: ControlContext): Promise<void> {
  await afterwards.close();
  await decisions.close();
  await store.close();
}

function readGiven(
  file: string,
):
  | { readonly kind: 'given'; readonly key: Uint8Array; readonly name: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string } {
  const read = readMasterKey(file);
  if (read.kind === 'missing') {
    const hint = 'make it with: openssl rand -base64 32; or drop master_key_file, and one is made in data_dir';
    return { kind: 'refused', problem: `master_key_file: ${file} does not exist`, hint };
  }
  return read.kind === 'refused' ? read : { kind: 'given', key: read.key, name: file };
}
