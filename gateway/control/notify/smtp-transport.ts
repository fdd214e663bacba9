// Delivers mails by SMTP, one connection for each mail. Nodemailer's connection is used without its pool, so that an attempt that takes too
// long can be cut off, and the failed command is known. The STARTTLS policy is in config/schema/smtp-url.ts.
// Only the codes of the server's replies are repeated, since the texts often quote addresses.

import MailComposer from 'nodemailer/lib/mail-composer';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SmtpServer } from '../../config/schema/smtp-url.ts';
import type { Sender } from '../../core/model/mailbox.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import { type DeliveryOutcome, failed, type MailTransport, type OutgoingMessage } from './transport.ts';

interface SmtpOptions {
  readonly server: SmtpServer;
  readonly from: Sender;
}

/** Longest single wait; the whole attempt has the caller's deadline. */
const stepMs = 15_000;

export function openSmtpTransport({ server, from }: SmtpOptions): MailTransport {
  return {
    deliver: async (message, signal) => {
      if (signal.aborted) return failed('the attempt was ended before it began');
      return send(server, from, message, await compose(from, message), signal);
    },
    close: () => Promise.resolve(),
  };
}

/** The mail as bytes. Addresses are passed as values, never as text to be parsed. */
function compose(from: Sender, message: OutgoingMessage): Promise<Buffer> {
  const composer = new MailComposer({
    from: { name: from.name, address: from.address },
    to: { name: '', address: message.to },
    subject: message.subject,
    text: message.text,
    html: message.html,
    date: new Date(message.createdAt * 1000),
    messageId: `<${message.id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    // RFC 3834 §5: so that no automatic reply, such as a holiday notice, answers this mail.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  });
  return composer.compile().build();
}

function send(
  server: SmtpServer,
  from: Sender,
  message: OutgoingMessage,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  return new Promise((resolve) => {
    const connection = new SMTPConnection({
      host: server.host,
      port: server.port,
      secure: server.tls === 'from-the-start',
      requireTLS: server.tls === 'required',
      ignoreTLS: server.tls === 'none',
      connectionTimeout: stepMs,
      greetingTimeout: stepMs,
      socketTimeout: stepMs,
      dnsTimeout: stepMs,
      logger: false,
      tls: { minVersion: 'TLSv1.2' },
    });
    const end = (outcome: DeliveryOutcome): void => {
      // Set first, because closing emits 'end', which calls this function again.
      resolve(outcome);
      signal.removeEventListener('abort', onAbort);
      if (outcome.kind === 'delivered') connection.quit();
      connection.close();
    };
    const onAbort = (): void => end(failed('the mail server did not finish in time'));
    signal.addEventListener('abort', onAbort);
    // The listener stays, so that an error after the end of an attempt does not become an exception.
    connection.on('error', (error: unknown) => end(outcomeOf(error)));
    connection.once('end', () => end(failed('the mail server ended the connection')));

    const submit = (): void =>
      connection.send({ from: from.address, to: [message.to] }, bytes, (error) => {
        end(error === null ? { kind: 'delivered' } : outcomeOf(error));
      });
    connection.connect((error) => {
      if (error !== undefined) end(outcomeOf(error));
      else if (server.user === '') submit();
      else {
        connection.login({ credentials: { user: server.user, pass: server.password } }, (refused) => {
          if (refused === null) submit();
          else end(outcomeOf(refused));
        });
      }
    });
  });
}

/** Only a refusal of this recipient or of this text is about the mail; every other failure is about latchkey, the server or the connection. */
function outcomeOf(error: unknown): DeliveryOutcome {
  if (!(error instanceof Error)) return failed('the mail server was not understood');
  const facts = error as Error & {
    responseCode?: unknown;
    response?: unknown;
    command?: unknown;
    originalCode?: unknown;
  };
  const { responseCode, response, command } = facts;
  if (typeof responseCode === 'number') {
    const enhanced =
      typeof response === 'string' ? (/^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? '') : '';
    const step = typeof command === 'string' ? command : 'a command';
    const isFinal = responseCode >= 500 && (step === 'RCPT TO' || step === 'DATA');
    return failed(`the mail server answered ${`${responseCode} ${enhanced}`.trim()} to ${step}`, isFinal);
  }
  const code = errorCode(error);
  const cause = typeof facts.originalCode === 'string' ? ` (${facts.originalCode})` : '';
  switch (code) {
    case 'ETIMEDOUT':
      return failed('the mail server did not answer in time');
    case 'ETLS':
      return failed(`no TLS with the mail server${cause}`);
    case 'EAUTH':
      return failed('signing in to the mail server is not possible');
    default:
      return failed(`the mail server cannot be reached: ${code}${cause}`);
  }
}
