// The transport that the configuration names, followed over reloads: each attempt checks whether the setting is still the same.
// A setting that cannot be used is a failed attempt with a reason, and never keeps control from starting.

import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/compiled/config.ts';
import type { MailConfig } from '../../config/compiled/control-config.ts';
import { readSmtpUrl } from '../../config/schema/smtp-url.ts';
import { parseSender } from '../../core/model/mailbox.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import { openLogTransport } from './log-transport.ts';
import { failed, type MailTransport } from './transport.ts';

interface TransportContext {
  readonly config: () => Pick<Config, 'mail'>;
  readonly clock: { readonly epochSeconds: () => EpochSeconds };
}

/** Makes the transport, which opens nothing before the first mail. */
export function openConfiguredTransport(context: TransportContext): MailTransport {
  let current: { readonly settings: MailConfig | null; readonly transport: Promise<MailTransport> } | null = null;
  return {
    deliver: async (message, signal) => {
      const settings = context.config().mail;
      if (current === null || !isDeepStrictEqual(current.settings, settings)) {
        void closeWhenOpened(current?.transport);
        current = { settings, transport: openTransport(settings, context) };
      }
      let transport: MailTransport;
      try {
        transport = await current.transport;
      } catch (error) {
        current = null;
        return failed(`the transport cannot be loaded: ${errorCode(error)}`);
      }
      return transport.deliver(message, signal);
    },
    close: async () => {
      await closeWhenOpened(current?.transport);
      current = null;
    },
  };
}

async function closeWhenOpened(opening: Promise<MailTransport> | undefined): Promise<void> {
  const transport = await opening?.catch(() => null);
  await transport?.close();
}

/** The modules that speak to other servers are loaded with the first mail, so that control starts sooner. */
async function openTransport(settings: MailConfig | null, { clock }: TransportContext): Promise<MailTransport> {
  if (settings === null) return unusable('no mail is configured any more');
  const { from, transport } = settings;
  switch (transport.kind) {
    case 'smtp': {
      const sender = parseSender(from);
      const read = readSmtpUrl(transport.url);
      if (sender === null) return unusable('mail.from is not the address of a mailbox');
      if (read.kind === 'refused') return unusable(`mail.smtp ${read.problem}`);
      const { openSmtpTransport } = await import('./smtp-transport.ts');
      return openSmtpTransport({ server: read.server, from: sender });
    }
    case 'webhook': {
      const { openWebhookTransport } = await import('./webhook-transport.ts');
      return openWebhookTransport({ ...transport, from, epochSeconds: clock.epochSeconds });
    }
    case 'log':
      return openLogTransport(transport.file);
    default:
      return transport satisfies never;
  }
}

function unusable(problem: string): MailTransport {
  return { deliver: () => Promise.resolve(failed(problem)), close: () => Promise.resolve() };
}
