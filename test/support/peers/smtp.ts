// A real SMTP server for tests: takes mails, hands them out as they come, and can be told to refuse.
// What it received is read as a mail program would: headers unfolded, parts decoded.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as it arrived. */
interface ReceivedMail {
  /** Recipients of the envelope. */
  readonly to: readonly string[];
  readonly from: string;
  /** The bytes of DATA. */
  readonly raw: string;
  /** Value of a header, unfolded and decoded; '' when it is not there. */
  readonly header: (name: string) => string;
  /** How often a header stands there. */
  readonly count: (name: string) => number;
  readonly text: string;
  readonly html: string;
  readonly isEncrypted: boolean;
  /** User of AUTH, or null. */
  readonly user: string | null;
}

interface SmtpOptions {
  /** Answers to the coming DATA commands, in order; `null` takes the mail. Afterwards everything is taken. */
  readonly answers?: readonly (number | null)[];
  /** Answer to RCPT for these addresses. */
  readonly refuseRecipient?: (address: string) => number | null;
  readonly user?: { readonly name: string; readonly password: string };
  /** Called when a mail was received whole, before the client is told. */
  readonly onReceived?: () => void;
  readonly server?: SMTPServerOptions;
}

export interface SmtpRig {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** Attempts that reached DATA. */
  readonly attempts: () => number;
  /** Resolves once so many were taken; rejects after 10 s. */
  readonly waitFor: (count: number) => Promise<ReceivedMail[]>;
  readonly close: () => Promise<void>;
}

/** Starts one on a free port of loopback. Without `server.cert` it offers no TLS. */
export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpRig> {
  const received: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  const answers = [...(options.answers ?? [])];
  let attempts = 0;
  const server = new SMTPServer({
    authOptional: options.user === undefined,
    disabledCommands: options.server?.cert === undefined ? ['STARTTLS'] : [],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onAuth: (auth, _session, done) => {
      const { user } = options;
      if (user !== undefined && auth.username === user.name && auth.password === user.password)
        done(null, { user: user.name });
      else done(new Error('wrong'));
    },
    onRcptTo: (address, _session, done) => {
      const code = options.refuseRecipient?.(address.address) ?? null;
      done(code === null ? null : refusal(code));
    },
    onData: (stream, session, done) => {
      attempts += 1;
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const answer = answers.shift() ?? null;
        if (answer !== null) {
          done(refusal(answer));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom === false || mailFrom === null || mailFrom === undefined ? '' : mailFrom.address;
        const to = rcptTo.map(({ address }) => address);
        const user = typeof session.user === 'string' ? session.user : null;
        received.push(
          readMail(Buffer.concat(pieces).toString('latin1'), { from, to, user, isEncrypted: session.secure }),
        );
        options.onReceived?.();
        done();
        for (const look of waiting) look();
      });
    },
    ...options.server,
  });
  // a client that cuts its connection is part of the tests
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    received,
    attempts: () => attempts,
    waitFor: (count) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => end(new Error(`${received.length} of ${count} mails came`)), 10_000);
        const end = (problem: Error | null): void => {
          clearTimeout(timer);
          waiting.delete(look);
          if (problem === null) resolve(received);
          else reject(problem);
        };
        const look = (): void => {
          if (received.length >= count) end(null);
        };
        waiting.add(look);
        look();
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A server that says `greeting` (or nothing) and then what `onLine` gives for each line. */
export async function startBareSmtp(
  greeting: string,
  onLine: (line: string, socket: Socket) => void = () => undefined,
): Promise<{
  readonly port: number;
  readonly connections: () => number;
  readonly open: () => number;
  close(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setEncoding('latin1');
    if (greeting !== '') socket.write(greeting);
    socket.on('data', (text) => {
      for (const line of String(text).split('\r\n')) if (line !== '') onLine(line, socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => connections,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port of loopback on which no server listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function refusal(code: number): Error & { responseCode: number } {
  return Object.assign(new Error('not now, thanks to someone@example.org'), { responseCode: code });
}

type Envelope = Pick<ReceivedMail, 'from' | 'to' | 'user' | 'isEncrypted'>;

function readMail(raw: string, envelope: Envelope): ReceivedMail {
  const { headers, body } = splitHead(raw);
  const values = (name: string): string[] =>
    headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  const boundary = /boundary="([^"]+)"/.exec(values('content-type')[0] ?? '')?.[1];
  const parts = boundary === undefined ? [raw] : body.split(`--${boundary}`).slice(1, -1);
  const part = (type: string): string => {
    for (const piece of parts) {
      const inner = splitHead(piece.replace(/^\r\n/, ''));
      const of = (name: string): string => inner.headers.find(([key]) => key === name)?.[1] ?? '';
      if (!of('content-type').startsWith(type)) continue;
      const coding = of('content-transfer-encoding');
      if (coding === 'base64') return Buffer.from(inner.body, 'base64').toString('utf8');
      return coding === 'quoted-printable' ? decode(inner.body).toString('utf8') : inner.body;
    }
    return '';
  };
  return {
    ...envelope,
    raw,
    header: (name) => decodeWords(values(name)[0] ?? ''),
    count: (name) => values(name).length,
    text: part('text/plain'),
    html: part('text/html'),
  };
}

function splitHead(raw: string): { readonly headers: (readonly [string, string])[]; readonly body: string } {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ');
  const headers = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers, body: raw.slice(end + 4) };
}

/** RFC 2047 words. */
function decodeWords(text: string): string {
  return text
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_whole, coding: string, word: string) =>
      coding.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decode(word.replaceAll('_', ' ')).toString('utf8'),
    );
}

/** RFC 2045 section 6.7. */
function decode(text: string): Buffer {
  const soft = text.replace(/[ \t]+\r\n/g, '\r\n').replace(/=\r\n/g, '');
  return Buffer.from(
    soft.replace(/=([0-9A-F]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
