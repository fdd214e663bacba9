// Puts control together: store, keys, pages, the answers to edges, and the servers. The one place that knows all of them.
// The supervisor is told what YAML declares and never what the store holds: a control that starts anew reads that itself.

import { createPublicServer } from '../../api/public-server.ts';
import { type Control, type Reloaded, type ReloadResult, startControl } from '../../control/control.ts';
import { openContext } from '../../control/open-context.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { StartControl } from './process-messages.ts';

export interface ComposeOptions {
  readonly start: StartControl;
  /** Loads the file and what it declares. */
  readonly reload: () => Reloaded;
  readonly logger: Logger;
}

export interface ComposedControl {
  readonly kind: 'composed';
  readonly control: Control;
  /** Loads the file again; the state is what YAML and its files say, without the store's keys. */
  readonly reload: () => ReloadResult;
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
  const opened = await openContext({
    config: () => config,
    declaredKeys: declared,
    clock,
    logger,
    confirm: () => Promise.resolve(),
    wakeOutbox: () => undefined,
  });
  if (opened.kind === 'refused') return opened;
  const { context, ring } = opened;
  for (const note of opened.notes) logger.warn(note);

  try {
    const control = await startControl({
      state: { ...start.state, keys: ring.keys },
      sockets: start.sockets,
      operationsPort: start.operationsPort,
      reload: () => {
        const loaded = options.reload();
        if (loaded.kind === 'refused') return loaded;
        declared = loaded.state.keys;
        ring.declare(declared);
        return { kind: 'loaded', state: { ...loaded.state, keys: ring.keys } };
      },
      logger,
      clock,
      visitors: ({ assertionKeys }) => createPublicServer(context, { assertionKeys }),
    });
    return {
      kind: 'composed',
      control,
      reload: () => {
        const result = control.reload();
        if (result.kind === 'refused') return result;
        config = result.state.config;
        return { ...result, state: { ...result.state, keys: declared } };
      },
      close: async () => {
        await control.close();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
