// Names the cause of a failure of disk or database in words that an operator can act on. One closed list of causes serves SQLite,
// PostgreSQL and files; the causes stand in the log, in messages of commands, in a metric's label and in `/readyz`. Knows no store.
// Codes: https://www.sqlite.org/rescode.html, https://www.postgresql.org/docs/current/errcodes-appendix.html, errno(3).

/** The closed list of causes: the words for each, and a hint what to look at. */
const causes = {
  'disk-full': ['the disk is full', 'make room, or give the account a larger quota; it goes on by itself then'],
  'read-only': ['it can only be read', 'is the file system mounted read-only, or the database a standby? see store'],
  'no-permission': [
    'permission denied',
    'let the account that runs latchkey read and write it, its folder and what lies beside it',
  ],
  'cannot-open': [
    'its file cannot be opened',
    'is its folder there and mounted, may latchkey write in it, and may more files be opened?',
  ],
  locked: ['another process holds its lock', 'see which other program has the database open'],
  damaged: ['it is damaged', 'stop latchkey, look with: latchkey store check; then restore a backup'],
  'no-database': ['there is no such database', 'make it, or see store: CREATE DATABASE … ENCODING UTF8'],
  'io-error': ['reading or writing failed (I/O error)', 'see the system log: the disk may be failing'],
  'no-memory': ['there is no memory left', 'give latchkey or the database more memory'],
  'too-many-files': ['too many files are open', 'raise the limit of open files (LimitNOFILE)'],
  'too-many-connections': ['it takes no more connections', 'raise max_connections, or run fewer nodes'],
  'login-refused': ['user or password is refused', 'see user and password in store, and pg_hba.conf'],
  starting: ['it is starting or stopping', 'wait until it is up'],
  refused: ['nothing listens there (connection refused)', 'is the database running? see host and port in store'],
  'unknown-host': ['its host name is not found', 'see the host in store, and the name server'],
  tls: ['TLS failed', 'see sslmode and the certificates of store'],
  disconnected: ['the connection broke', 'is the database running, and is the network whole?'],
  timeout: ['no answer came in time', 'is the database overloaded, or the network cut?'],
  missing: ['a file or folder is not there', 'is what data_dir or store names still mounted?'],
  busy: ['too much waits for it already', 'try again in a moment'],
  closed: ['it is closed', 'wait until latchkey is up again'],
  other: ['it failed for a reason that latchkey does not know', 'see the log'],
} as const satisfies Readonly<Record<string, readonly [words: string, hint: string]>>;

export type FailureCause = keyof typeof causes;

export const failureCauses = Object.keys(causes) as readonly FailureCause[];

/** A failure for people to read. It holds no password and nothing of the driver's message. */
export interface Failure {
  readonly cause: FailureCause;
  /** Like `the disk is full (ENOSPC)`: with the code where there is one, so that it can be looked up. */
  readonly words: string;
  readonly hint: string;
}

/** Describes an error of a driver or of node:fs. Its chain of `cause` is searched as well, at most 8 deep. */
export function describeFailure(error: unknown): Failure {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const known = causeOf(at);
    if (known === null) continue;
    const [words, hint] = causes[known.cause];
    return { cause: known.cause, words: known.code === '' ? words : `${words} (${known.code})`, hint };
  }
  const [words, hint] = causes.other;
  return { cause: 'other', words, hint };
}

/** An error that latchkey raised by itself, since it waited too long or had closed the store: the storage reported nothing. */
export class GaveUp extends Error {
  readonly failure: 'busy' | 'closed' | 'timeout' | 'missing';

  constructor(failure: GaveUp['failure'], message: string) {
    super(message);
    this.failure = failure;
  }
}

function causeOf(error: Error): { readonly cause: FailureCause; readonly code: string } | null {
  if (error instanceof GaveUp) return { cause: error.failure, code: '' };
  if ('errcode' in error && typeof error.errcode === 'number') {
    const cause = sqliteExtended[error.errcode] ?? sqlitePrimary[error.errcode & 0xff];
    return cause === undefined ? null : { cause, code: `SQLite error ${error.errcode}` };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const cause =
    systemCodes[code] ?? postgresCodes[code] ?? (isSqlState(code) ? postgresClasses[code.slice(0, 2)] : undefined);
  if (cause !== undefined) return { cause, code };
  if (/^(?:ERR_(?:TLS|SSL)_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code))
    return { cause: 'tls', code };
  // errors of pg that carry no code
  if (/does not support SSL|SSL negotiation/i.test(error.message)) return { cause: 'tls', code: '' };
  if (/password must be a string/i.test(error.message)) return { cause: 'login-refused', code: '' };
  if (/timeout/i.test(error.message)) return { cause: 'timeout', code: '' };
  if (/Connection (?:terminated|ended)|Client has encountered a connection error/i.test(error.message))
    return { cause: 'disconnected', code: '' };
  return null;
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code);
}

const sqlitePrimary: Readonly<Record<number, FailureCause>> = {
  3: 'no-permission',
  5: 'locked',
  6: 'locked',
  7: 'no-memory',
  8: 'read-only',
  10: 'io-error',
  11: 'damaged',
  13: 'disk-full',
  14: 'cannot-open',
  15: 'locked',
  26: 'damaged',
};

/** A full disk shows first as SQLITE_IOERR_SHMSIZE or SQLITE_IOERR_SHMMAP: the -shm file cannot grow. */
const sqliteExtended: Readonly<Record<number, FailureCause>> = { 4874: 'disk-full', 5386: 'disk-full' };

const systemCodes: Readonly<Record<string, FailureCause>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EFBIG: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EIO: 'io-error',
  EMFILE: 'too-many-files',
  ENFILE: 'too-many-files',
  ENOMEM: 'no-memory',
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ESTALE: 'missing',
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unknown-host',
  EAI_AGAIN: 'unknown-host',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'disconnected',
  ENETUNREACH: 'disconnected',
  ECONNRESET: 'disconnected',
  EPIPE: 'disconnected',
  EPROTO: 'tls',
};

const postgresCodes: Readonly<Record<string, FailureCause>> = {
  '53100': 'disk-full',
  '53200': 'no-memory',
  '53300': 'too-many-connections',
  '57P01': 'starting',
  '57P02': 'starting',
  '57P03': 'starting',
  '57014': 'timeout',
  '25006': 'read-only',
  '25P03': 'timeout',
  '25P04': 'timeout',
  '55P03': 'locked',
  '40001': 'locked',
  '40P01': 'locked',
  '42501': 'no-permission',
  '58P01': 'damaged',
  XX001: 'damaged',
  XX002: 'damaged',
};

const postgresClasses: Readonly<Record<string, FailureCause>> = {
  '08': 'disconnected',
  '28': 'login-refused',
  '3D': 'no-database',
  '58': 'io-error',
};
