// All listeners of one edge: starts them, gives them certificates and rules, renews both at a reload, closes them.
// What is bound stays as it was at the start; a certificate that cannot be used leaves its listener with what it has.

import type { Config, ListenerConfig } from '../../config/compiled/config.ts';
import type { HostTable } from '../../core/model/host-pattern.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FeedTls } from '../../wire/feed.ts';
import { hostNames } from './client-certificates.ts';
import { type ListenContext, Listener } from './listener.ts';
import { buildTlsTable, type TlsTable } from './tls-table.ts';

/** By position in `config.listeners`. */
type Material = readonly (FeedTls | null)[];

export class Listeners {
  readonly #context: ListenContext;
  readonly #logger: Logger;
  #listeners: Listener[] = [];
  #configs: readonly ListenerConfig[] = [];
  #material: Material = [];

  constructor(context: ListenContext, logger: Logger) {
    this.#context = context;
    this.#logger = logger;
  }

  /**
   * @param fds  bound sockets to listen on, by position; where there is none the address is bound here
   * @returns where they really listen, in order
   * @throws ListenError; Error when certificates cannot be used
   */
  async start(
    snapshot: { readonly config: Config; readonly tls: Material; readonly ticketSecret: string },
    fds: readonly number[],
  ): Promise<readonly { readonly host: string; readonly port: number }[]> {
    this.#configs = snapshot.config.listeners;
    this.#material = snapshot.tls;
    this.#listeners = this.#configs.map(
      (listener, at) => new Listener(listener, this.#buildTable(at, snapshot.ticketSecret), this.#context),
    );
    this.#setRules();
    const bound: { host: string; port: number }[] = [];
    for (const [at, listener] of this.#listeners.entries()) bound.push(await listener.listen(fds[at] ?? null));
    return bound;
  }

  /** Takes what a reload brought for the listeners that run. */
  apply(config: Config, material: Material, ticketSecret: string): void {
    this.#configs = config.listeners;
    this.#material = material;
    this.renewTickets(ticketSecret);
    this.#setRules();
    for (const listener of this.#listeners) listener.takeLimits();
  }

  /** Tickets under the secret before are not resumed any more: their clients shake hands in full, once. */
  renewTickets(ticketSecret: string): void {
    for (const [at, listener] of this.#listeners.entries()) {
      if (listener.tls === null) continue;
      try {
        const table = this.#buildTable(at, ticketSecret);
        if (table !== null) listener.tls.replace(table);
      } catch (error) {
        // control has tried the same files; this is about a difference between the two processes
        const problem = error instanceof Error ? error.message : 'unknown';
        this.#logger.error(
          { listener: this.#configs[at]?.at, problem },
          'certificates cannot be used; the old ones stay',
        );
      }
    }
  }

  /** Stops accepting. Resolves once every connection is gone. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  #buildTable(at: number, ticketSecret: string): TlsTable | null {
    const config = this.#configs[at]?.tls ?? null;
    if (config === null) return null;
    const material = this.#material[at] ?? null;
    if (material === null) throw new Error(`${this.#configs[at]?.at}: the certificates did not arrive`);
    return buildTlsTable({ config, material, ticketSecret, handshakeTimeoutMs: this.#context.limits.headMs });
  }

  #setRules(): void {
    for (const [at, listener] of this.#listeners.entries()) {
      const redirectPort = this.#configs[at]?.redirectPort ?? null;
      if (redirectPort !== null) {
        listener.rules.gate = { kind: 'redirect', port: redirectPort };
        continue;
      }
      const policy = listener.tls?.table.policy ?? null;
      const elsewhere = this.#guardedElsewhere(at);
      const hasRules = policy !== null || elsewhere !== null;
      listener.rules.gate = hasRules ? { kind: 'certificates', policy, elsewhere } : null;
    }
  }

  /** Hosts that need a certificate on another listener: there must be no way around it. */
  #guardedElsewhere(own: number): HostTable<true> | null {
    const hosts = this.#configs.flatMap(({ tls }, at) => {
      const policy = tls?.clientCertificates ?? null;
      return at === own || policy === null || policy.mode === 'optional' ? [] : (policy.hosts ?? []);
    });
    return hosts.length === 0 ? null : hostNames(hosts);
  }
}
