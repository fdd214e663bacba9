// A real ControlContext on a store of its own, with a clock that stands until it is set, and a look into the mails that wait.
// Nothing of it is a stand-in but the clock and `write`, which waits for no edges because there are none.

import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import { makeAfterwards } from '../../../gateway/control/context/afterwards.ts';
import type { Actor, ControlContext } from '../../../gateway/control/context/control-context.ts';
import { makeControlTokens } from '../../../gateway/control/context/control-tokens.ts';
import { deliveryPlace } from '../../../gateway/control/notify/deliveries.ts';
import { makePasswordWork } from '../../../gateway/control/proof/password-work.ts';
import { actorOf } from '../../../gateway/control/sessions/actor-of.ts';
import type { Browser, NewSession } from '../../../gateway/control/sessions/start-session.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import type { StoreSettings } from '../../../gateway/store/port/engine.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { noLedger } from '../no-ledger.ts';
import { type EngineName, makeClock, makeDatabase, openNode, silent, type TestClock } from '../store/stores.ts';
import { ConfigFolder } from './config-folder.ts';

/** A mail that waits, as it will be sent. */
interface WaitingMail {
  readonly kind: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The code in the link of the mail; empty when it has none. */
  readonly code: string;
}

export interface ContextOptions {
  readonly engine?: EngineName;
  /** A database that another context uses as well. */
  readonly settings?: StoreSettings;
  readonly clock?: TestClock;
  /** Added to the configuration file. */
  readonly yaml?: string;
  /** Keys and configuration of another context: this one is another node of the same fleet, or the same after a restart. */
  readonly like?: TestContext;
}

export interface TestContext {
  readonly context: ControlContext;
  readonly clock: TestClock;
  readonly store: Store;
  readonly settings: StoreSettings;
  /** Replaces the configuration in force. */
  readonly configure: (change: (config: Config) => Config) => void;
  /** Mails in the outbox, the oldest first; to one address, when one is given. */
  readonly mails: (to?: string) => Promise<WaitingMail[]>;
  /** The code of the newest mail of a kind to an address. Throws when there is none. */
  readonly mailedCode: (to: string, kind: string) => Promise<string>;
  /** What `new` sessions are of: the actor behind them. Throws when nobody is. */
  readonly actor: (session: NewSession) => Promise<Extract<Actor, { kind: 'account' }>>;
  readonly secrets: { readonly master: Buffer; readonly internal: Buffer; readonly content: Buffer };
}

export const portalHost = 'portal.localhost';

/** Everything that accounts need. */
const contextYaml = `
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: app, path: /, upstream: web, accept: [token] }]
portal: { public_url: "http://${portalHost}:8080", hosts: [media.localhost] }
mail: { from: "latchkey <keys@example.org>", log: mails.log }
`;

/** A browser that was never seen. */
export const browser: Browser = {
  deviceCookie: null,
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  clientAddress: '192.0.2.1',
};

/** Makes one; everything is closed and gone after the test. */
export async function makeContext(options: ContextOptions = {}): Promise<TestContext> {
  const settings = options.settings ?? options.like?.settings ?? (await makeDatabase(options.engine ?? 'sqlite'));
  const clock = options.clock ?? options.like?.clock ?? makeClock();
  const store = await openNode(settings, { clock });
  // The rate of checks is a bound on a real clock, and no test is about it.
  let config = options.like?.context.config() ?? {
    ...loadYaml(`${contextYaml}${options.yaml ?? ''}`),
    passwordChecksPerSecond: 10_000,
  };
  const secrets = options.like?.secrets ?? {
    master: randomBytes(32),
    internal: randomBytes(32),
    content: randomBytes(32),
  };
  const ring = buildKeyRing([
    { id: 'content-1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: secrets.content },
    { id: 'internal-1', algorithm: 'HS256', purpose: 'internal', state: 'signing', secret: secrets.internal },
  ]);
  const context: ControlContext = {
    store,
    sealing: makeSealer(secrets.master),
    config: () => config,
    clock: { monotonicMs: () => performance.now(), epochSeconds: () => clock.epochSeconds() },
    random: randomBytes,
    tokens: makeControlTokens({ ring: () => ring, config: () => config, now: () => clock.epochSeconds() }),
    logger: silent,
    write: store.write,
    decisions: noLedger,
    passwords: makePasswordWork({
      checksPerSecond: () => config.passwordChecksPerSecond,
      clock: { monotonicMs: () => performance.now(), epochSeconds: () => clock.epochSeconds() },
    }),
    wakeOutbox: () => undefined,
    // Done when a test looks for what became of it.
    afterwards: makeAfterwards({ logger: silent, random: randomBytes, pauseMs: 60_000 }),
  };
  onTestFinished(() => context.afterwards.close());
  const mails = async (to?: string): Promise<WaitingMail[]> => {
    await context.afterwards.settled();
    const rows = await store.sql.selectFrom('outbox').selectAll().orderBy('created_at').execute();
    const opened = rows.flatMap(({ id, kind, body_sealed: sealed }) => {
      if (sealed === null) return [];
      const body: { to: string; subject: string; text: string } = JSON.parse(
        Buffer.from(context.sealing.open(deliveryPlace(id), sealed)).toString(),
      );
      return [{ ...body, kind, code: /\?code=([\w.-]+)/.exec(body.text)?.[1] ?? '' }];
    });
    return to === undefined ? opened : opened.filter((mail) => mail.to === to);
  };
  return {
    context,
    clock,
    store,
    settings,
    secrets,
    mails,
    configure: (change) => {
      config = change(config);
    },
    mailedCode: async (to, kind) => {
      const code = (await mails(to)).filter((mail) => mail.kind === kind).at(-1)?.code;
      if (code === undefined || code === '') throw new Error(`no mail of kind ${kind} with a code to ${to}`);
      return code;
    },
    actor: async ({ sessionToken }) => {
      const actor = await actorOf(context, sessionToken, portalHost);
      if (actor === null) throw new Error('nobody is behind this session');
      return actor;
    },
  };
}

function loadYaml(yaml: string): Config {
  const folder = new ConfigFolder();
  onTestFinished(() => folder.remove());
  return folder.config(yaml);
}
