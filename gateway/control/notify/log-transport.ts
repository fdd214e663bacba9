// "Delivers" mails to a file, one JSON line each, for tests and trials. The file holds working links, so only its owner may
// read the file, whatever its mode was before; anything but a regular file is refused.

import { constants, type FileHandle, open } from 'node:fs/promises';
import { isoTime } from '../../telemetry/clock.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import { failed, type MailTransport } from './transport.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** @param file  absolute path; the file is made when it is missing */
export function openLogTransport(file: string): MailTransport {
  return {
    deliver: async (message) => {
      const { id, kind, to, subject, text } = message;
      const line = JSON.stringify({ time: isoTime(message.createdAt * 1000), id, kind, to, subject, text });
      let handle: FileHandle | null = null;
      try {
        // Non-blocking, so that a FIFO without a reader cannot hold an attempt.
        handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
        if (!(await handle.stat()).isFile()) return failed('mail.log is not a regular file');
        await handle.chmod(0o600);
        await handle.appendFile(`${line}\n`);
        return { kind: 'delivered' };
      } catch (error) {
        return failed(`mail.log cannot be written: ${errorCode(error)}`);
      } finally {
        await handle?.close();
      }
    },
    close: () => Promise.resolve(),
  };
}
