// The state that control hands to the edges at this moment: configuration, keys, TLS files, the secret of session tickets; and the change
// of that state when the file is loaded again. Holds keys in memory; they go to the edges' feeds and nowhere else. Sends nothing itself.

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { withoutSecrets } from '../../config/compiled/config.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FeedKey, SnapshotMessage } from '../../wire/feed.ts';
import type { ControlState } from '../../wire/process-messages.ts';
import { mergeReload } from './merge-reload.ts';

/** The result of loading the file again; problems are lines for people, without secrets. */
export type Reloaded =
  | { readonly kind: 'loaded'; readonly state: ControlState; readonly warnings?: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** The outcome of a reload. */
export type ReloadResult =
  | { readonly kind: 'applied'; readonly needsRestart: readonly string[]; readonly state: ControlState }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export class StateInForce {
  #state: ControlState;
  #seq = 1;
  #ticketSecret = newTicketSecret();

  constructor(state: ControlState) {
    this.#state = state;
  }

  get config(): ControlState['config'] {
    return this.#state.config;
  }

  get tls(): ControlState['tls'] {
    return this.#state.tls;
  }

  /** Number of the configuration, which goes up by one with each reload. */
  get seq(): number {
    return this.#seq;
  }

  /** The whole state, for an edge that starts or takes a reload. */
  snapshot(parts: Pick<SnapshotMessage, 'publicSocket' | 'index'>): SnapshotMessage {
    const { config, upstreamTls, tls } = this.#state;
    return {
      kind: 'snapshot',
      seq: this.#seq,
      config: withoutSecrets(config),
      keys: this.feedKeys(),
      upstreamTls,
      tls,
      ticketSecret: this.#ticketSecret,
      ...parts,
    };
  }

  feedKeys(): FeedKey[] {
    return this.#state.keys.map(toFeedKey);
  }

  /** Takes the keys of a ring that was read anew. @returns whether the keys differ from those before */
  takeKeys(keys: readonly SigningKey[]): boolean {
    if (isDeepStrictEqual(keys, this.#state.keys)) return false;
    this.#state = { ...this.#state, keys };
    return true;
  }

  renewTicketSecret(): string {
    this.#ticketSecret = newTicketSecret();
    return this.#ticketSecret;
  }

  /**
   * Takes the loaded configuration, except for the settings that wait for a restart, and writes it to the log. A refused file changes nothing.
   *
   * @param announce  sends the new snapshot to the edges
   */
  take(loaded: Reloaded, logger: Logger, announce: () => void): ReloadResult {
    if (loaded.kind === 'refused') {
      logger.error({ problems: loaded.problems }, 'the configuration was not reloaded; nothing changed');
      return loaded;
    }
    if (loaded.warnings !== undefined && loaded.warnings.length > 0)
      logger.warn({ warnings: loaded.warnings }, 'the configuration that is loaded has warnings');
    const { config, needsRestart, listenerSources } = mergeReload(this.#state.config, loaded.state.config);
    const before = this.#state.tls;
    const tls = listenerSources.map((from, at) => (from < 0 ? before[at] : loaded.state.tls[from]) ?? null);
    this.#state = { ...loaded.state, config, tls };
    this.#seq += 1;
    announce();
    if (needsRestart.length > 0) logger.warn({ needsRestart }, 'some changes wait for a restart');
    logger.info({ seq: this.#seq }, 'the configuration was reloaded');
    return { kind: 'applied', needsRestart, state: this.#state };
  }
}

function newTicketSecret(): string {
  return randomBytes(32).toString('base64url');
}

function toFeedKey(key: SigningKey): FeedKey {
  const { id, algorithm, purpose, state } = key;
  return { id, algorithm, purpose, state, secret: Buffer.from(key.secret).toString('base64url') };
}
