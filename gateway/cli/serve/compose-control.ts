// Puts control together: store, keys, pages, the answers to edges, the outbox, and the servers. The one place that knows all.
// The supervisor is told what YAML declares and never what the store holds: a control that starts anew reads that itself.

import { createOperatorServer } from '../../api/operator-server.ts';
import { createPublicServer } from '../../api/public-server.ts';
import { answerAccess } from '../../control/access/answer-access.ts';
import type { ControlContext } from '../../control/context/control-context.ts';
import { noteCollections, startCollectionNotes } from '../../control/links/note-collections.ts';
import type { StoreAnswers } from '../../control/node/edge-questions.ts';
import { listenOnSocket } from '../../control/node/listen.ts';
import { openContext } from '../../control/node/open-context.ts';
import { startStoreProbe } from '../../control/node/probe-store.ts';
import { type Control, startControl } from '../../control/node/start-control.ts';
import type { Reloaded, ReloadResult } from '../../control/node/state-in-force.ts';
import { openConfiguredTransport } from '../../control/notify/configured-transport.ts';
import { type Outbox, startOutbox } from '../../control/notify/deliver-outbox.ts';
import { makeMailCarrier } from '../../control/notify/mail-carrier.ts';
import { registerOutboxMetrics } from '../../control/notify/outbox-metrics.ts';
import { registerLimitMetrics } from '../../control/proof/reached-limits.ts';
import { recordSeen } from '../../control/sessions/record-seen.ts';
import { sessionForHost } from '../../control/sessions/session-for-host.ts';
import { startPruning } from '../../control/sessions/start-pruning.ts';
import { PasswordThrottle } from '../../control/users-file/password-throttle.ts';
import { revokeUserRecords } from '../../control/users-file/revoke-user-records.ts';
import { UserRecordWatch } from '../../control/users-file/watch-user-records.ts';
import { userRecordMemoryIn } from '../../store/files/known-user-records.ts';
import { recordMembersSeen } from '../../store/rows/members.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StartControl } from '../../wire/process-messages.ts';

interface ComposeOptions {
  readonly start: StartControl;
  /** Loads the file and what it declares. */
  readonly reload: () => Reloaded;
  /** Asks the supervisor to end an edge; `edgeGone` says that it did. */
  readonly endEdge: (edge: string) => void;
  readonly logger: Logger;
}

export interface ComposedControl {
  readonly kind: 'composed';
  readonly control: Control;
  /** Loads the file again; the state is what YAML and its files say, without the store's keys. */
  readonly reload: () => ReloadResult;
  /** The process of an edge is gone. */
  readonly edgeGone: (edge: string) => void;
  readonly close: () => Promise<void>;
}

/** @throws ListenFailure */
export async function composeControl(
  options: ComposeOptions,
): Promise<ComposedControl | { readonly kind: 'refused'; readonly problem: string; readonly hint: string }> {
  const { start, logger } = options;
  const clock = { epochSeconds, monotonicMs };
  let config = start.state.config;
  let declared = start.state.keys;
  // Visitors and edges are listened to a moment before control is there in full: what they change then waits for it, since an
  // answer that was not confirmed would be no promise.
  const control = Promise.withResolvers<Control>();
  control.promise.catch(() => undefined);
  let outbox: Outbox | null = null;
  const opened = await openContext({
    config: () => config,
    declaredKeys: declared,
    clock,
    logger,
    confirm: async (position) => (await control.promise).confirm(position),
    wakeOutbox: () => outbox?.wake(),
  });
  if (opened.kind === 'refused') return opened;
  const { context, ring } = opened;
  for (const note of opened.notes) logger.warn(note);

  try {
    // Before the first edge: what changed while nothing ran must not be answered from what was. Without waiting for edges, which
    // are asked by the control that is about to start: each begins with an index that has it.
    await noteCollections({ ...context, write: context.store.write });
    const running = await startControl({
      state: { ...start.state, keys: ring.keys },
      sockets: start.sockets,
      operationsPort: start.operationsPort,
      endEdge: options.endEdge,
      runningEdges: start.runningEdges,
      reload: () => {
        const loaded = options.reload();
        if (loaded.kind === 'refused') return loaded;
        declared = loaded.state.keys;
        ring.declare(declared);
        return { ...loaded, state: { ...loaded.state, keys: ring.keys } };
      },
      logger,
      clock,
      visitors: ({ assertionKeys }) => createPublicServer(context, { assertionKeys }),
      answers: answersFrom(context),
      passwordThrottle: new PasswordThrottle({
        store: context.store,
        clock: { epochSeconds: () => context.store.logTime() },
      }),
      changes: context.store,
      storeHealth: context.store.health,
      passwordQueue: context.passwords.queue,
      reloadKeys: async () => {
        await ring.reload();
        return ring.keys;
      },
    });
    control.resolve(running);
    // its orders end with an answer of the edges, so it listens when those can be heard
    const operator = createOperatorServer(context);
    await listenOnSocket(operator, start.sockets.admin);
    const onAttempt = registerOutboxMetrics({ registry: running.registry, store: context.store, clock });
    registerLimitMetrics(running.registry, context.store);
    const mail = makeMailCarrier(openConfiguredTransport({ config: () => config, clock }));
    const deliveries = startOutbox(context, { mail }, { onAttempt });
    outbox = deliveries;
    const probing = startStoreProbe(context.store);
    const pruning = startPruning(context);
    const notes = startCollectionNotes(context);
    const userRecords = new UserRecordWatch({
      usersFile: () => config.usersFile,
      memory: userRecordMemoryIn(config.dataDir),
      revoke: (ids) => revokeUserRecords(context, { kind: 'system' }, ids),
      logger,
    });
    return {
      kind: 'composed',
      control: running,
      edgeGone: running.edgeGone,
      reload: () => {
        const result = running.reload();
        if (result.kind === 'refused') return result;
        const { collections } = config;
        config = result.state.config;
        notes.changed(collections);
        return { ...result, state: { ...result.state, keys: declared } };
      },
      close: async () => {
        notes.close();
        await operator.close();
        await Promise.all([running.close(), deliveries.close(), pruning.close(), probing.close(), userRecords.close()]);
        await opened.close();
      },
    };
  } catch (error) {
    control.reject(error);
    await opened.close();
    throw error;
  }
}

function answersFrom(context: ControlContext): StoreAnswers {
  return {
    answerAccess: (question) => answerAccess(context, question),
    renewSession: async ({ session, host }) => {
      const minted = await sessionForHost(context, { sessionId: session, host });
      return minted.kind === 'minted' ? { ...minted, kind: 'renewed' } : { kind: 'ended' };
    },
    recordDecisions: (lines) => context.decisions.appendLines(lines),
    recordSeen: ({ seen }) => recordSeen(context, seen, recordMembersSeen),
  };
}
