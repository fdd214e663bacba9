// What the bench needs to know of a proxy: whether it is here, which credential it checks, how to start it.
// One file per proxy; a new one is added to all.ts.

import type { CorePlan } from '../measure/cores.ts';
import { pin } from '../measure/cores.ts';
import { findFreePort, type RunningProcess, settle, startProcess, waitForPort } from '../measure/processes.ts';
import type { TokenForm } from '../workload/requests.ts';

export type Availability =
  | { readonly kind: 'installed'; readonly version: string }
  | { readonly kind: 'missing'; readonly hint: string };

export interface Start {
  /** Empty folder for this start alone; removed after the run. */
  readonly folder: string;
  readonly backendPort: number;
  readonly plan: CorePlan;
  readonly secret: string;
  /** Where access lines go; null switches them off. */
  readonly accessLog: string | null;
}

export interface RunningPeer {
  readonly port: number;
  /** Where access lines really go, for servers that choose the place; absent: where they were asked to. */
  readonly accessLog?: string;
  readonly process: RunningProcess;
}

export interface Peer {
  /** As `--only` takes it. */
  readonly name: string;
  /** As the table shows it. */
  readonly title: string;
  readonly form: TokenForm;
  /** Whether it checks the credential; the others show what forwarding alone costs. */
  readonly checks: boolean;
  /** `bodies`: takes part in the figures per MiB only. */
  readonly measures: 'all' | 'bodies';
  /** Distinct tokens in rotation, where they are not those of all other proxies; needs wrk. */
  readonly tokens?: number;
  /** Whether it can write access lines to a file. */
  readonly logs: boolean;
  find(): Availability;
  start(start: Start): Promise<RunningPeer>;
}

/** Starts a server that takes its port from a file written by `configure`, and waits until it listens. */
export async function startServer(
  start: Start,
  configure: (port: number) => string[],
  outputFile?: string,
): Promise<RunningPeer> {
  const port = await findFreePort();
  const command = pin(start.plan, 'proxy', configure(port));
  const process = startProcess(command, outputFile === undefined ? {} : { outputFile });
  await settle(process, waitForPort(port, process, 15_000));
  return { port, process };
}
