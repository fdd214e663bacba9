// A gateway for people who are signed in: sessions minted by the test, and a control whose answers the test says.
// The questions go over the real sockets; only what answers them, the change log and the pages are the test's.

import Fastify, { type FastifyInstance } from 'fastify';
import type { ChangeSource } from '../../../gateway/control/node/change-feed.ts';
import type { AccessAnswer, AccessScope, SessionEnded } from '../../../gateway/core/decision/state/access.ts';
import type { Change, ChangeKind, LogPosition } from '../../../gateway/core/model/change.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import type { AccessQuestion, RenewSessionAnswer, RenewSessionQuestion } from '../../../gateway/wire/questions.ts';
import type { SeenReport } from '../../../gateway/wire/reports.ts';
import { askRaw, type RawResponse, requestText } from '../clients/raw-client.ts';
import { RecordingUpstream } from '../peers/recording-upstream.ts';
import { type FileInput, type GatewayOptions, startGateway, type TestGateway } from './gateway.ts';

/** A change log in memory. */
class MemoryLog implements ChangeSource {
  #epoch = 'first';
  readonly #changes: Change[] = [];
  #wake: (() => void) | null = null;

  get position(): LogPosition {
    return { epoch: this.#epoch, seq: this.#changes.length };
  }

  append(kind: ChangeKind, node: string): LogPosition {
    this.#changes.push({ kind, node, seq: this.#changes.length + 1, at: epochSeconds() });
    this.#wake?.();
    return this.position;
  }

  readonly readChanges: ChangeSource['readChanges'] = async (after) => ({
    kind: 'changes',
    position: this.position,
    changes: this.#changes.filter(({ seq }) => seq > after.seq),
  });

  readonly readRevocations: ChangeSource['readRevocations'] = async () => ({
    position: this.position,
    revocations: this.#changes.filter(({ kind }) => kind === 'revoke' || kind === 'outside'),
  });

  readonly onWake: ChangeSource['onWake'] = (listener) => {
    this.#wake = listener;
    return () => undefined;
  };
}

/** A gateway's options, any of them. */
type RigOptions = Omit<Partial<GatewayOptions>, 'config'> & { readonly config?: Partial<FileInput> };

/** What came in at the pages. */
interface PageRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Anna is on the access list of `/vod/summer/`, Ben is not; both are signed in on media.example. */
export class MemberRig {
  readonly gateway: TestGateway;
  readonly upstream: RecordingUpstream;
  readonly log: MemoryLog;
  readonly pages: PageRequest[];
  readonly questions: AccessQuestion[] = [];
  readonly renewals: RenewSessionQuestion[] = [];
  readonly seen: SeenReport[] = [];
  /** Control's answers; a test may replace them. */
  answerAccess: (question: AccessQuestion) => Promise<AccessAnswer | SessionEnded>;
  answerSession: (question: RenewSessionQuestion) => Promise<RenewSessionAnswer> = async () => ({ kind: 'ended' });

  private constructor(gateway: TestGateway, upstream: RecordingUpstream, log: MemoryLog, pages: PageRequest[]) {
    this.gateway = gateway;
    this.upstream = upstream;
    this.log = log;
    this.pages = pages;
    this.answerAccess = this.usual;
  }

  static async start(options: RigOptions = {}): Promise<MemberRig> {
    const upstream = await RecordingUpstream.start();
    const log = new MemoryLog();
    const pages: PageRequest[] = [];
    const rig: { current: MemberRig | null } = { current: null };
    const own = () => {
      if (rig.current === null) throw new Error('asked before the rig stands');
      return rig.current;
    };
    const gateway = await startGateway({
      users: {},
      changes: log,
      visitors: () => recordingPages(pages),
      answers: {
        answerAccess: (question) => {
          own().questions.push(question);
          return own().answerAccess(question);
        },
        renewSession: (question) => {
          own().renewals.push(question);
          return own().answerSession(question);
        },
        recordSeen: async (report) => {
          own().seen.push(report);
        },
      },
      ...options,
      config: {
        portal: { public_url: 'http://portal.example', contact: 'help@example.org' },
        upstreams: { media: { servers: [upstream.url] } },
        routes: [
          { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'member'] },
          { name: 'club', path: '/club/', upstream: 'media', accept: ['session'] },
          { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone', 'member'] },
          { name: 'either', path: '/either/', upstream: 'media', accept: ['password', 'member'] },
          { name: 'guarded', path: '/guarded/', upstream: 'media', accept: ['password'] },
          {
            name: 'staff',
            path: '/staff/',
            upstream: 'media',
            accept: ['token', 'session'],
            allow: { groups: ['staff'] },
          },
          {
            name: 'family',
            path: '/vod/summer/family/',
            upstream: 'media',
            accept: ['member'],
            allow: { groups: ['family'] },
          },
          { name: 'plain', path: '/plain/', upstream: 'media', accept: ['token'] },
        ],
        ...options.config,
      },
    });
    rig.current = new MemberRig(gateway, upstream, log, pages);
    return own();
  }

  readonly usual = async ({ account, path }: AccessQuestion): Promise<AccessAnswer> =>
    account === 'ac_anna' && path.startsWith('/vod/summer/') ? this.granted() : this.none(account);

  granted(scope: Partial<AccessScope> = {}, position = this.log.position): AccessAnswer {
    return {
      kind: 'granted',
      position,
      subjects: ['ac_anna', 'co_summer', 'li_1'],
      nodes: ['ac_anna', 'li_1', 'me_1', 'ak_1'],
      grant: 'me_1',
      scope: { host: 'media.example', path: '/vod/summer/', methods: null, untilAt: null, ...scope },
      claims: { sub: 'ac_anna', email: 'anna@example.org', name: 'Anna', groups: ['family'] },
    };
  }

  none(account: string, position = this.log.position): AccessAnswer {
    return { kind: 'none', position, subjects: [account, 'co_summer'] };
  }

  /** The token of a session. */
  session(name = 'anna', claims: object = {}): string {
    const { epoch, seq } = this.log.position;
    const now = epochSeconds();
    const nodes = [`ac_${name}`, `se_${name}`, `dv_${name}`];
    const own = { sub: nodes[0], sid: nodes[1], did: nodes[2], aud: ['media.example'], email: `${name}@example.org` };
    const minted = { ...own, paths: undefined, iat: now, exp: now + 900, n: nodes, v: [epoch, seq], ...claims };
    return this.gateway.mint(minted, 'session');
  }

  cookie(name = 'anna', claims: object = {}): string {
    return `Cookie: latchkey=${this.session(name, claims)}`;
  }

  ask(method: string, target: string, ...fields: string[]): Promise<RawResponse> {
    return askRaw(this.gateway.port, requestText(method, target, fields));
  }

  /** Appends to the log, and waits until the edge has it. */
  async change(kind: ChangeKind, node: string): Promise<void> {
    await this.gateway.control.confirm(this.log.append(kind, node));
  }

  /** Restores the initial state, as far as a test can see. */
  async reset(): Promise<void> {
    this.answerAccess = this.usual;
    this.answerSession = async () => ({ kind: 'ended' });
    await this.change('touch', 'co_summer');
    this.upstream.clear();
    for (const list of [this.pages, this.questions, this.renewals, this.seen]) list.length = 0;
  }

  async close(): Promise<void> {
    await this.gateway.close();
    await this.upstream.close();
  }
}

/** The value of the pass that an answer sets; null without one. */
export function passOf(answer: RawResponse): string | null {
  const line = answer.all('Set-Cookie').find((each) => /^latchkey_pass=./.test(each) && !each.includes('Max-Age=0;'));
  return line === undefined ? null : line.slice('latchkey_pass='.length, line.indexOf(';'));
}

function recordingPages(pages: PageRequest[]): FastifyInstance {
  const server = Fastify({ logger: false, exposeHeadRoutes: false });
  server.all('/*', (request, reply) => {
    pages.push({ method: request.method, url: request.url, headers: request.headers });
    return reply
      .header('set-cookie', ['latchkey=new; Path=/; HttpOnly', 'latchkey_flow=f; Path=/; HttpOnly', 'other=1'])
      .send('a page');
  });
  return server;
}
