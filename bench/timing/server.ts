// The process that bench:timing measures: control's server for visitors on a Unix socket, with the store, the seal and the use cases
// as in `latchkey serve`. It fills the store with accounts, sends `ready` with a session token to its parent, and ends with its parent.
// Arguments: a folder, the number of accounts, and which questions follow: `accounts`, or `shares`, for which there are unverified and disabled
// accounts too, and a key that the account of the session may offer.

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
import { insertCredential, insertCredentialKey } from '../../gateway/store/sharing/credentials.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';
import { createLogger } from '../../gateway/telemetry/logger.ts';

const [folder = '', accounts = '0', questions = 'accounts'] = process.argv.slice(2);

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
const sharing =
  questions === 'shares'
    ? 'sharing: { per_sender: 1000000/h }\ncollections: [{ name: cam, host: media.localhost, path: /cam/ }]\n'
    : '';
let config = load(`${yaml}, limits: { mails_per_hour: 1000000 } }\n${sharing}`);
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
await fill('known', 'active', true);
if (questions === 'shares') {
  await fill('named', 'active', false);
  await fill('ended', 'disabled', true);
}
// an account without a password, so that its request for another address costs no hash
const made = await createAccount(context, { kind: 'operator' }, { email: 'mover@example.org', invited: false });
if (made.kind !== 'created') throw new Error(made.reason);
const browser = { deviceCookie: null, userAgent: 'bench', clientAddress: '127.0.0.1' };
const started = await context.write((unit) => startSession(unit, context, made.accountId, browser, 'sign-in-link'));
if (started.value === null) throw new Error('no session');
const session = finishSession(context, started.value, started.position);

if (questions === 'shares') await addKey(made.accountId);

const server = createPublicServer(context, { assertionKeys: () => [] });
await server.listen({ path: join(folder, 'p.sock') });
process.on('disconnect', () => process.exit(0));
process.send?.({ kind: 'ready', sessionToken: session.sessionToken });

function load(text: string) {
  writeFileSync(path, text);
  return loadConfig(path, () => undefined, { cores: 1 });
}

async function fill(name: string, state: 'active' | 'disabled', isVerified: boolean): Promise<void> {
  for (let from = 0; from < Number(accounts); from += 200) {
    await context.write(async (unit) => {
      for (let at = from; at < Math.min(from + 200, Number(accounts)); at++) {
        await insertAccount(unit.sql, {
          id: makeId('account', randomBytes(idRandomBytes)),
          email: `${name}-${String(at).padStart(6, '0')}@example.org`,
          emailVerifiedAt: isVerified ? unit.now : null,
          passwordHash,
          displayName: '',
          groups: [],
          role: 'user',
          state,
          createdAt: unit.now,
        });
      }
    });
  }
}

async function addKey(accountId: string): Promise<void> {
  await context.write(async ({ sql, now }) => {
    const made = { created_at: now, created_by: 'operator' };
    await insertCredential(sql, {
      ...{ ...made, id: 'cd_card000000000000000001', account_id: accountId, name: 'Staff card', issuer: 'Hillside' },
      ...{ picture: null, valid_from_at: null, valid_until_at: null, withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{ ...made, id: 'dk_key0000000000000000001', credential_id: 'cd_card000000000000000001', name: 'Front door' },
      ...{ collection: 'cam', host: 'media.localhost', path: '/cam/', methods: null, needs_second_factor: 0 },
      ...{ removed_at: null, removed_by: null },
    });
  });
}
