// What the bench needs to know of a proxy: whether it is installed, which credential it checks, how to start it.
// Each proxy has a file of its own; all.ts lists them.

import type { CorePlan } from '../measure/cores.ts';
import { pin } from '../measure/cores.ts';
import { findFreePort, type RunningProcess, settle, startProcess, waitForPort } from '../measure/processes.ts';
import type { TokenForm } from '../workload/requests.ts';

/** Whether a proxy is installed; `hint` says how to install it. */
export type Availability =
  | { readonly kind: 'installed'; readonly version: string }
  | { readonly kind: 'missing'; readonly hint: string };

/** What a proxy is started with. */
export interface Start {
  /** Empty folder for this start alone; removed after the run. */
  readonly folder: string;
  readonly backendPort: number;
  readonly plan: CorePlan;
  readonly secret: string;
  /** File for access lines; null switches them off. */
  readonly accessLog: string | null;
}

/** A proxy that listens. */
export interface RunningPeer {
  readonly port: number;
  /** File that access lines really go to, for a server that chooses it itself; absent: `accessLog` of its start. */
  readonly accessLog?: string;
  readonly process: RunningProcess;
}

/** A proxy of the bench. */
export interface Peer {
  /** Name, as `--only` takes it. */
  readonly name: string;
  /** Title, as the table shows it. */
  readonly title: string;
  readonly form: TokenForm;
  /** Whether the proxy checks the credential; proxies that do not show what forwarding alone costs. */
  readonly checks: boolean;
  /** `bodies`: takes part in the figures per MiB only. */
  readonly measures: 'all' | 'bodies';
  /** Number of distinct tokens in rotation, where it is not the usual one; needs wrk. */
  readonly tokens?: number;
  /** Whether the proxy can write access lines to a file. */
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
