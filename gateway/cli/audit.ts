// `latchkey audit export`: the audit log as JSON lines, oldest first, for archives and for programs that watch it. Pages are printed as they
// come, so a log of any size needs no more memory than a page. The export is noted in the log itself, once.

import { once } from 'node:events';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { auditShape } from '../api/v1/audit.ts';
import { parseDurationMs } from '../config/schema/values.ts';
import type { EpochSeconds } from '../core/model/time.ts';
import { epochSeconds, isoTime } from '../telemetry/clock.ts';
import { usageError } from './command/command-error.ts';
import { requireConfig } from './command/load-config.ts';
import type { OperatorApi } from './command/operator-api.ts';

interface ExportOptions {
  readonly config: string;
  readonly since: string;
  readonly until?: string;
}

type Page = z.infer<typeof auditShape>;

/** The most that the endpoint gives at once. */
const pageSize = 500;

/** Adds `latchkey audit …` to the program. */
export function auditCommand(program: Command): void {
  const audit = program.command('audit').description('the audit log, to keep elsewhere').helpCommand(false);
  audit
    .command('export')
    .description('print the audit log as JSON lines, oldest first')
    .requiredOption('--config <file>', 'the configuration')
    .requiredOption('--since <time>', 'from then on: 30d for thirty days back, or 2026-07-01T18:00Z')
    .option('--until <time>', 'until before then, likewise; default: until now')
    .addHelpText(
      'after',
      `
A line is {position, at, at_epoch, actor, action, subject, details, request_id}. Positions only grow, so a copy
goes on behind the last position that it has. The log notes each export, in the last line where --until is absent.

Examples:
  latchkey audit export --since 1d --config latchkey.yaml >> audit.jsonl
  latchkey audit export --since 2026-07-01T00:00Z --until 2026-08-01T00:00Z --config latchkey.yaml`,
    )
    .action(async (options: ExportOptions) => {
      const now = epochSeconds();
      const since = readPast('--since', options.since, now);
      const until = options.until === undefined ? null : readPast('--until', options.until, now);
      if (until !== null && until <= since) {
        throw usageError('--until is not later than --since', 'such as --since 2d --until 1d');
      }
      const config = requireConfig(options.config);
      const { withOperatorApi } = await import('./command/operator-api.ts');
      await withOperatorApi(config, {}, (api) => printLog(api, since, until));
    });
}

async function printLog({ ask }: OperatorApi, since: EpochSeconds, until: EpochSeconds | null): Promise<void> {
  const { auditExportShape, auditShape } = await import('../api/v1/audit.ts');
  const span = { since_at: since, ...(until === null ? {} : { until_at: until }) };
  const { through } = await ask('POST', 'audit/exports', auditExportShape, span);
  let after: number | null = 0;
  while (after !== null && after < through) {
    const query = new URLSearchParams({ after: String(after), limit: String(pageSize) });
    for (const [name, value] of Object.entries(span)) query.set(name, String(value));
    const page: Page = await ask('GET', `audit?${query.toString()}`, auditShape);
    const lines = page.entries.filter(({ position }) => position <= through).map(lineOf);
    // a reader that is slower than the store: the next page waits until this one is taken
    if (lines.length > 0 && !process.stdout.write(lines.join(''))) await once(process.stdout, 'drain');
    after = page.next;
  }
}

function lineOf({ position, at, ...entry }: Page['entries'][number]): string {
  const time = isoTime(at * 1000).replace(/\.\d+Z$/, 'Z');
  return `${JSON.stringify({ position, at: time, at_epoch: at, ...entry })}\n`;
}

/** Reads a moment: how long ago (`7d`, `12h`), or a date with its time zone. @throws CommandError (exit code 2) for any other text */
function readPast(option: string, text: string, now: EpochSeconds): EpochSeconds {
  const ms = parseDurationMs(text);
  if (ms !== null) return Math.max(now - Math.round(ms / 1000), 0);
  // a date without a zone would mean another moment on another machine, so the zone is required
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at) || at < 0) {
    throw usageError(`${option}: ${JSON.stringify(text)} is no moment`, 'write 30d or 12h back, or 2026-07-01T18:00Z');
  }
  return Math.floor(at / 1000);
}
