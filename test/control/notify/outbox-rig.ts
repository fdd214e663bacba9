// An outbox on a real store in a temporary folder, with a clock that tests move.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outbox, startOutbox } from '../../../gateway/control/notify/deliver-outbox.ts';
import { makeMailCarrier } from '../../../gateway/control/notify/mail-carrier.ts';
import { type QueuedMail, queueMail } from '../../../gateway/control/notify/queue-mail.ts';
import { openSmtpTransport } from '../../../gateway/control/notify/smtp-transport.ts';
import type { MailTransport } from '../../../gateway/control/notify/transport.ts';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import type { StoreSettings } from '../../../gateway/store/port/engine.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { memoryLogger } from '../../support/rigs/control.ts';

type OutgoingMail = Parameters<typeof queueMail>[2];

type OutboxOptions = Parameters<typeof startOutbox>[2];

export const sender = { name: 'Hillside Media', address: 'keys@example.org' };

export interface OutboxRig {
  readonly folder: string;
  readonly store: Store;
  readonly said: () => string;
  /** Moves the clock on. */
  readonly pass: (seconds: number) => void;
  /** Starts a worker; closed with the rig. */
  readonly start: (transport: MailTransport, options?: OutboxOptions) => Outbox;
  /** Queues a sign-in link in a unit of its own. */
  readonly queue: (to: string, changes?: Partial<OutgoingMail>) => Promise<QueuedMail>;
  /** Rows of the outbox, oldest first. */
  readonly rows: () => ReturnType<typeof allRows>;
  /** Polls until `isSo`; a worker marks after the receiver has the mail. */
  readonly until: (isSo: (rows: Awaited<ReturnType<typeof allRows>>) => boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A mail that every test may send. */
export function signInMail(to: string): OutgoingMail {
  return {
    kind: 'sign-in-link',
    to,
    accountId: null,
    values: { path: '/.latchkey/code?code=sesame-open', validForMinutes: 10 },
  };
}

/** @param settings  another store than a new SQLite file; its tables are not removed at the end */
export async function openOutboxRig(
  settings?: StoreSettings,
  masterKey: Uint8Array = Buffer.alloc(32, 7),
): Promise<OutboxRig> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-outbox-'));
  const { logger, said } = memoryLogger();
  let ahead = 0;
  const clock = { monotonicMs: () => monotonicMs() + ahead * 1000, epochSeconds: () => epochSeconds() + ahead };
  const opened = await openStore({
    settings: settings ?? { kind: 'sqlite', file: join(folder, 'latchkey.db') },
    clock,
    logger,
  });
  if ('away' in opened) throw new Error(opened.problem);
  const store = opened;
  const sealing = makeSealer(masterKey);
  const context = {
    store,
    sealing,
    clock,
    logger,
    random: randomBytes,
    config: () => ({
      mail: { from: 'Hillside Media <keys@example.org>' },
      portal: { publicUrl: 'https://portal.example.org', name: 'Hillside Media' },
      accounts: { limits: { mailsPerHour: 500, requestsPerNetwork: 100 } },
      sharing: { perSender: { count: 50, seconds: 3600 }, perAddress: { count: 10, seconds: 3600 } },
    }),
  };
  const workers: Outbox[] = [];
  return {
    folder,
    store,
    said,
    pass: (seconds) => {
      ahead += seconds;
    },
    start: (transport, options = {}) => {
      const worker = startOutbox(context, { mail: makeMailCarrier(transport) }, { pollMs: 50, ...options });
      workers.push(worker);
      return worker;
    },
    queue: async (to, changes = {}) => {
      const mail = { ...signInMail(to), ...changes } as OutgoingMail;
      return (await store.write((unit) => queueMail(unit, context, mail))).value;
    },
    rows: () => allRows(store),
    until: async (isSo) => {
      const deadline = monotonicMs() + 10_000;
      for (;;) {
        const rows = await allRows(store);
        if (isSo(rows)) return;
        if (monotonicMs() > deadline)
          throw new Error(
            `the outbox stays at ${JSON.stringify(rows.map((row) => ({ ...row, body_sealed: row.body_sealed === null ? null : 'sealed' })))}\n${said()}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** SMTP to a test server on loopback. */
export function smtpTo(port: number): MailTransport {
  return openSmtpTransport({ from: sender, server: { host: '127.0.0.1', port, tls: 'none', user: '', password: '' } });
}

function allRows(store: Store) {
  return store.sql.selectFrom('outbox').selectAll().orderBy('created_at').orderBy('id').execute();
}
