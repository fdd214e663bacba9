// A worker of the outbox in a process of its own, for the test that kills it: node outbox-child.ts DATABASE SMTP-PORT.

import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { startOutbox } from '../../../gateway/control/notify/deliver-outbox.ts';
import { makeMailCarrier } from '../../../gateway/control/notify/mail-carrier.ts';
import { openSmtpTransport } from '../../../gateway/control/notify/smtp-transport.ts';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';

const [file = '', port = ''] = process.argv.slice(2);
const clock = { epochSeconds, monotonicMs };
const logger = pino({ level: 'silent' });
const store = await openStore({ settings: { kind: 'sqlite', file }, clock, logger });
if ('kind' in store) throw new Error(store.problem);
const transport = openSmtpTransport({
  from: { name: '', address: 'keys@example.org' },
  server: { host: '127.0.0.1', port: Number(port), tls: 'none', user: '', password: '' },
});
const sealing = makeSealer(Buffer.alloc(32, 7));
startOutbox({ store, sealing, clock, logger, random: randomBytes }, { mail: makeMailCarrier(transport) });
