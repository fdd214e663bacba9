// Puts control together: store, keys, pages, the answers to edges, the outbox and the servers. The one place that knows all of them.
// The supervisor is told the keys that YAML declares and never those of the store: a control that starts again reads the store itself.

import { createOperatorServer } from '../../api/operator-server.ts';
import { createPublicServer } from '../../api/public-server.ts';
import { answerAccess } from '../../control/access/answer-access.ts';
import { registerPopulationMetrics } from '../../control/accounts/population-metrics.ts';
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
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StartControl } from '../../wire/process-messages.ts';

interface ComposeOptions {
  readonly start: StartControl;
  /** Loads the YAML file and the files that it names. */
  readonly reload: () => Reloaded;
  /** Asks the supervisor to end the process of an edge; the supervisor's answer arrives as `edgeGone`. */
  readonly endEdge: (edge: string) => void;
  readonly logger: Logger;
}

export interface ComposedControl {
  readonly kind: 'composed';
  readonly control: Control;
  /** Loads the file again. The state in the result has the keys that YAML declares, and not the store's. */
  readonly reload: () => ReloadResult;
  /** To be called when the process of an edge has ended. */
  readonly edgeGone: (edge: string) => void;
  /** Closes the servers, ends all timers, then closes the store. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the store and starts control on its sockets.
 *
 * @returns `refused` when the store or its keys cannot be opened; problem and hint are for the operator
 * @throws ListenFailure when an address or a socket cannot be listened on, StoreAway when the store fails meanwhile
 */
export async function composeControl(
  options: ComposeOptions,
): Promise<ComposedControl | { readonly kind: 'refused'; readonly problem: string; readonly hint: string }> {
  const { start, logger } = options;
  const clock = { epochSeconds, monotonicMs };
  let config = start.state.config;
  let declared = start.state.keys;
  // The servers for visitors and edges listen a moment before control is complete. A change that a request makes in that moment waits for
  // control here, because no caller may hear of a change that the edges have not confirmed.
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
    // Before the first edge connects: a change of the collections while the gateway did not run must end older answers. This write does
    // not wait for edges to confirm: control has not started yet, and each edge begins with an index that has the change.
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
    // an order of the operator waits until the edges confirm it, so this server listens only when they can be heard
    const operator = createOperatorServer(context);
    await listenOnSocket(operator, start.sockets.admin);
    const onAttempt = registerOutboxMetrics({ registry: running.registry, store: context.store, clock });
    registerLimitMetrics(running.registry, context.store);
    registerPopulationMetrics(running.registry, context.store, clock);
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
    recordSeen: ({ seen }) => recordSeen(context, seen),
  };
}
