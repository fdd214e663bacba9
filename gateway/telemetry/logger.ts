// The program's own log: JSON lines by pino, one logger per process, named by role and edge.
// Fields that could hold a secret are masked here as a last line of defence; callers must not log them at all.

import type { Writable } from 'node:stream';
import pino from 'pino';
import type { LogKind } from './log-kinds.ts';

export type { Logger } from 'pino';

/** Which process a line comes from. */
type ProcessRole = 'supervisor' | 'control' | 'edge' | 'command';

interface LoggerOptions {
  readonly role: ProcessRole;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Number of the edge, when there are several. */
  readonly edge?: string;
  /** Where lines go. Default: standard error, which stays clear of `--json-ready` and of access lines on stdout. */
  readonly destination?: pino.DestinationStream | Writable;
}

/** Field names that never print, at any of the first three depths. */
const secretFields = ['authorization', 'cookie', 'token', 'password', 'otp', 'secret'];

/** Makes the process's logger. Lines are written at once, so that the last words of a dying process arrive. */
export function createLogger(options: LoggerOptions): pino.Logger {
  return pino(
    {
      level: options.level,
      base: {
        kind: 'event' satisfies LogKind,
        role: options.role,
        ...(options.edge === undefined ? {} : { edge: options.edge }),
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}
