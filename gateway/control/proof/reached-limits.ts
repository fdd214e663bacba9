// Tells the operator that a limit of the installation was reached: a count for the metrics, and once an hour a line in the log and in
// the history. The list is closed, so that the table and the metric stay small. Clients are not told: mails and requests are left out silently.

import { Counter, type Registry } from 'prom-client';
import type { Store, Unit } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { readCounts, writeCounts } from '../../store/rows/throttles.ts';
import type { Logger } from '../../telemetry/logger.ts';

const installationLimits = [
  /** Requests of strangers from one /24 or /48: answered 429. */
  'requests-per-network',
  /** Mails that strangers cause, in all: not sent. */
  'mails',
  'mails-register',
  'mails-reset',
  /** Mails that people who are signed in cause, in all and for one account: not sent. */
  'mails-members',
  'mails-of-account',
  /** Mails that administrators cause: not sent. */
  'mails-administrators',
  /** Accounts that nobody verified: no more are made. */
  'unverified-accounts',
] as const;

type InstallationLimit = (typeof installationLimits)[number];

/** Whether a kind of window is a limit of the installation, which the operator is told about. */
export function isInstallationLimit(kind: string): kind is InstallationLimit {
  return installationLimits.some((limit) => limit === kind);
}

/** Kind of the rows; their key is the limit's name. */
const reachedKind = 'limit-reached';
const hour = 3600;

/** Records that a mail was left out or a request was refused. */
export async function noteLimit(
  unit: Unit,
  context: { readonly logger?: Pick<Logger, 'warn'> },
  limit: InstallationLimit,
): Promise<void> {
  const key = { kind: reachedKind, keyDigest: limit };
  const [before = null] = await readCounts(unit.sql, [key]);
  const isFirst = before === null || Math.floor(before.lastAt / hour) !== Math.floor(unit.logTime / hour);
  const tries = (before?.tries ?? 0) + 1;
  const count = { tries, leakedAt: before?.leakedAt ?? unit.logTime, lastAt: unit.logTime, blockedUntilAt: 0 };
  await writeCounts(unit, [{ key, count, isNew: before === null }]);
  if (!isFirst) return;
  context.logger?.warn({ limit }, 'a limit was reached; see latchkey_limits_reached_total');
  await appendAudit(unit, { actor: 'system', action: 'limit.reached', subject: limit });
}

/** Registers the metric. */
export function registerLimitMetrics(registry: Registry, store: Pick<Store, 'sql'>): void {
  new Counter({
    name: 'latchkey_limits_reached_total',
    help: 'Requests and mails that a limit of the installation stopped, on all nodes of the store.',
    labelNames: ['limit'],
    registers: [registry],
    async collect() {
      const keys = installationLimits.map((limit) => ({ kind: reachedKind, keyDigest: limit }));
      const counts = await readCounts(store.sql, keys).catch(() => null);
      // While the store is away the number is unknown; an earlier number would be a guess.
      this.reset();
      if (counts === null) return;
      for (const [at, limit] of installationLimits.entries()) this.inc({ limit }, counts[at]?.tries ?? 0);
    },
  });
}
