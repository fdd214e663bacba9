// `latchkey mail test`: sends one mail by the configured way, and says how that went. Nothing is queued, and no secret is printed.

import type { Command } from 'commander';
import { openConfiguredTransport } from '../control/notify/configured-transport.ts';
import { normaliseMailAddress } from '../core/model/mail-address.ts';
import { epochSeconds } from '../telemetry/clock.ts';
import { CommandError, usageError } from './command/command-error.ts';
import { requireConfig } from './command/load-config.ts';
import { printResult, styled } from './command/terminal.ts';

/** How long one attempt may take. */
const deadlineMs = 30_000;

/** Adds `latchkey mail` to the program. */
export function mailCommand(program: Command): void {
  const mail = program.command('mail').description('try out how mails leave').helpCommand(false);
  mail
    .command('test <address>')
    .description('send one test mail by the configured way, now')
    .requiredOption('--config <file>', 'the configuration')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  latchkey mail test anna@example.org --config latchkey.yaml')
    .action(async (address: string, options: { readonly config: string; readonly json?: boolean }) => {
      const to = normaliseMailAddress(address);
      if (to === null) throw usageError(`${JSON.stringify(address)} is not a mail address`, 'write anna@example.org');
      const config = requireConfig(options.config);
      if (config.mail === null) {
        throw new CommandError('mail is not configured', { hint: 'set mail: { from: …, smtp: "smtp://mail:587" }' });
      }
      const way = wayOf(config.mail.transport);
      const transport = openConfiguredTransport({ config: () => config, clock: { epochSeconds } });
      const name = config.portal?.name ?? 'latchkey';
      const text = `This is a test mail of ${name}. Mails leave as they should; there is nothing to do.`;
      const createdAt = epochSeconds();
      const message = {
        id: `test-${createdAt}`,
        kind: 'test',
        to,
        subject: `A test mail of ${name}`,
        text,
        html: '',
        createdAt,
      };
      const outcome = await transport.deliver(message, AbortSignal.timeout(deadlineMs));
      await transport.close();
      if (outcome.kind === 'failed') {
        throw new CommandError(`not sent by ${way}: ${outcome.problem}`, {
          hint: outcome.isFinal
            ? 'the other side will not take it; look at the address and the sender'
            : 'look at mail in the configuration',
        });
      }
      printResult(
        options,
        { to, way, delivered: true },
        `${styled('green', 'sent')} to ${to} by ${way}; look into that mailbox, and into its spam`,
      );
    });
}

/** The way without user and password. */
function wayOf(
  transport:
    | { readonly kind: 'smtp' | 'webhook'; readonly url: string }
    | { readonly kind: 'log'; readonly file: string },
): string {
  if (transport.kind === 'log') return `the file ${transport.file}`;
  const { protocol, host, pathname } = new URL(transport.url);
  return `${protocol}//${host}${transport.kind === 'webhook' ? pathname : ''}`;
}
