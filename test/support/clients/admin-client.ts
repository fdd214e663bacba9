// Asks a running gateway's administration socket, as a command does, for tests that act the moment it answers.

import { request } from 'node:http';
import { join } from 'node:path';

interface AdminAnswer {
  readonly status: number;
  /** Parsed JSON; undefined for an empty answer. NOT checked. */
  readonly body: unknown;
}

/** @param path  behind `/v1/` */
export function askAdmin(dataDir: string, method: string, path: string, body?: object): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const socketPath = join(dataDir, 'run', 'admin.sock');
    const asked = request({ socketPath, method, path: `/v1/${path}`, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) });
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
