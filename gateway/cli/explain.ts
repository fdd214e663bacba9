// `latchkey explain <request id>`: says why a request was let in or refused, with the chain of events that led to it.
// It reads the decision records of this node and the store, whether a gateway runs or not, and changes nothing.

import type { Command } from 'commander';
import type { Explanation } from '../control/explain/explain-request.ts';
import { isoTime } from '../telemetry/clock.ts';
import { CommandError } from './command/command-error.ts';
import { requireConfig } from './command/load-config.ts';
import { printResult, styled } from './command/terminal.ts';

interface ExplainOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `latchkey explain` to the program. */
export function explainCommand(program: Command): void {
  program
    .command('explain')
    .description('why a request was let in or refused')
    .argument('<request-id>', 'as X-Request-Id of the answer and the access log have it')
    .requiredOption('--config <file>', 'the configuration of the node that answered')
    .option('--json', 'print {record, records, chain} as JSON')
    .addHelpText(
      'after',
      `
Records are kept for 24 hours. Exit code 1 when there is none of this request.

Example:
  latchkey explain vI6uDCG3o5aG-2 --config latchkey.yaml`,
    )
    .action(async (requestId: string, options: ExplainOptions) => {
      const config = requireConfig(options.config);
      const { withStore } = await import('./command/open-store-for-command.ts');
      const { explainRequest } = await import('../control/explain/explain-request.ts');
      const found = await withStore(config, 'read', ({ context }) => explainRequest(context, requestId));
      if (found.kind === 'not-found') {
        throw new CommandError(`nothing is known of request ${JSON.stringify(requestId.slice(0, 80))}`, {
          hint: found.hint,
        });
      }
      const { record, records, chain } = found;
      const { showRecord } = await import('../api/v1/explain.ts');
      printResult(options, { record: showRecord(record), records: records.map(showRecord), chain }, describe(found));
    });
}

function describe({ record, chain }: Extract<Explanation, { readonly kind: 'found' }>): string {
  const verdict = record.outcome === 'deny' ? styled('red', 'refused') : styled('green', 'let in');
  const head = `${verdict}: ${record.method} ${record.host}${record.path}, by ${record.by} for ${record.client}`;
  const lines = chain.map(({ at, node, text }) => {
    const time = at === null ? ''.padEnd(20) : isoTime(at * 1000).replace(/\.\d+Z$/, 'Z');
    return `  ${time}  ${text}${node === null ? '' : ` ${styled('dim', node)}`}`;
  });
  return [head, ...lines].join('\n');
}
