// Delivers mails to a program of the operator by one signed POST with JSON, which has to be answered by a 2xx in time.
// Signature: `Latchkey-Signature: t=<epoch seconds>,v1=<hex>`, HMAC-SHA-256 over `<t>.<raw body>` under the secret file's bytes,
// so that a receiver can refuse an old or changed request. Redirects are not followed: they would carry a working link elsewhere.

import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { readKeyFile } from '../../config/files/secrets.ts';
import { parseSender } from '../../core/model/mailbox.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import { failed, type MailTransport } from './transport.ts';

interface WebhookOptions {
  readonly url: string;
  /** Absolute path of the secret, which is read for each attempt, so a new secret needs no restart. */
  readonly secretFile: string;
  /** `mail.from`. */
  readonly from: string;
  readonly epochSeconds: () => EpochSeconds;
}

const stepMs = 15_000;
const maxAnswerBytes = 64 * 1024;
const maxConnections = 8;

export function openWebhookTransport({ url, secretFile, from, epochSeconds }: WebhookOptions): MailTransport {
  const agent = new Agent({
    connections: maxConnections,
    pipelining: 1,
    connectTimeout: stepMs,
    headersTimeout: stepMs,
    bodyTimeout: stepMs,
    maxResponseSize: maxAnswerBytes,
    keepAliveTimeout: 4000,
  });
  const sender = parseSender(from);
  return {
    deliver: async (message, signal) => {
      const key = readKeyFile(secretFile);
      if (key.kind === 'refused') return failed(`the webhook's secret: ${key.problem}`);
      const body = JSON.stringify({
        id: message.id,
        kind: message.kind,
        created_at: message.createdAt,
        from: sender ?? { name: '', address: from },
        to: message.to,
        subject: message.subject,
        text: message.text,
        html: message.html,
      });
      const signature = signWebhook(key.secret, epochSeconds(), body);
      try {
        const answer = await request(url, {
          method: 'POST',
          dispatcher: agent,
          signal,
          headers: {
            'content-type': 'application/json',
            'latchkey-signature': signature,
            'idempotency-key': message.id,
            'user-agent': 'latchkey',
          },
          body,
        });
        // The status is the answer; the body is read only so that the connection can be used again.
        await answer.body.dump({ limit: maxAnswerBytes, signal }).catch(() => undefined);
        const { statusCode } = answer;
        return statusCode >= 200 && statusCode < 300
          ? { kind: 'delivered' }
          : failed(`the webhook answered ${statusCode}`);
      } catch (error) {
        return failed(
          signal.aborted ? 'the webhook did not answer in time' : `the webhook failed: ${errorCode(error)}`,
        );
      }
    },
    close: () => agent.destroy(),
  };
}

/** The value of `Latchkey-Signature`. */
function signWebhook(secret: Uint8Array, at: EpochSeconds, body: string): string {
  const digest = createHmac('sha256', secret).update(`${at}.`).update(body, 'utf8').digest('hex');
  return `t=${at},v1=${digest}`;
}
