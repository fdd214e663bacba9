// The process that bench:timing measures: control's server for visitors on a Unix socket, with the store, the seal and the use cases
// as in `latchkey serve`. It fills the store with accounts, sends `ready` with a session token to its parent, and ends with its parent.
// Arguments: a folder, the number of accounts.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPublicServer } from '../../gateway/api/public-server.ts';
import { loadConfig } from '../../gateway/config/load.ts';
import { formatProblem } from '../../gateway/config/problems/format.ts';
import { createAccount } from '../../gateway/control/accounts/create-account.ts';
import { openContext } from '../../gateway/control/node/open-context.ts';
import { finishSession, startSession } from '../../gateway/control/sessions/start-session.ts';
import { idRandomBytes, makeId } from '../../gateway/core/model/node-id.ts';
import { insertAccount } from '../../gateway/store/rows/accounts.ts';
import { hashPassword } from '../../gateway/store/seal/password-hash.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';
import { createLogger } from '../../gateway/telemetry/logger.ts';

const [folder = '', accounts = '0'] = process.argv.slice(2);

const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
data_dir: ./data
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [token] }]
portal: { public_url: "http://portal.localhost:8080" }
mail: { from: "latchkey <keys@example.org>", log: mails.log }
password_checks_per_second: 10000
accounts: { registration: open`;
mkdirSync(join(folder, 'data'), { mode: 0o700 });
const path = join(folder, 'latchkey.yaml');
// an older gateway that is measured for comparison may not know this limit
let config = load(`${yaml}, limits: { mails_per_hour: 1000000 } }\n`);
if (config.kind === 'invalid') config = load(`${yaml} }\n`);
if (config.kind === 'invalid') throw new Error(config.problems.map(formatProblem).join('\n'));
const settings = config.config;
const opened = await openContext({
  config: () => settings,
  declaredKeys: [],
  clock: { epochSeconds, monotonicMs },
  logger: createLogger({ level: 'error', role: 'control' }),
  confirm: async () => undefined,
  wakeOutbox: () => undefined,
});
if (opened.kind === 'refused') throw new Error(opened.problem);
const { context } = opened;

const passwordHash = await hashPassword('seven green lanterns');
for (let from = 0; from < Number(accounts); from += 200) {
  await context.write(async (unit) => {
    for (let at = from; at < Math.min(from + 200, Number(accounts)); at++) {
      await insertAccount(unit.sql, {
        id: makeId('account', randomBytes(idRandomBytes)),
        email: `known-${String(at).padStart(6, '0')}@example.org`,
        emailVerifiedAt: unit.now,
        passwordHash,
        displayName: '',
        groups: [],
        role: 'user',
        state: 'active',
        createdAt: unit.now,
      });
    }
  });
}
// an account without a password, so that its request for another address costs no hash
const made = await createAccount(context, { kind: 'operator' }, { email: 'mover@example.org', invited: false });
if (made.kind !== 'created') throw new Error(made.reason);
const browser = { deviceCookie: null, userAgent: 'bench', clientAddress: '127.0.0.1' };
const started = await context.write((unit) => startSession(unit, context, made.accountId, browser, 'sign-in-link'));
if (started.value === null) throw new Error('no session');
const session = finishSession(context, started.value, started.position);

const server = createPublicServer(context, { assertionKeys: () => [] });
await server.listen({ path: join(folder, 'p.sock') });
process.on('disconnect', () => process.exit(0));
process.send?.({ kind: 'ready', sessionToken: session.sessionToken });

function load(text: string) {
  writeFileSync(path, text);
  return loadConfig(path, () => undefined, { cores: 1 });
}
