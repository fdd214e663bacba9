// `latchkey token revoke`: has the gateway refuse tokens that were made with the common key until now. The command calls the endpoint
// `revocations` on the running gateway, or in its own process on the store when no gateway runs.

import { type Command, Option } from 'commander';
import { z } from 'zod';
import { usageError } from '../command/command-error.ts';
import { requireConfig } from '../command/load-config.ts';
import { printResult, styled } from '../command/terminal.ts';

interface RevokeOptions {
  readonly config: string;
  readonly jti?: string;
  readonly sub?: string;
  readonly kid?: string;
  readonly json?: boolean;
}

const revokedShape = z.object({ claim: z.enum(['jti', 'sub', 'kid']), value: z.string(), revoked_at: z.int() });

/** Adds the command `revoke` to its group. */
export function tokenRevokeCommand(token: Command): void {
  token
    .command('revoke')
    .description('refuse tokens and passes made until now: one, those of a subject, or those of a key')
    .requiredOption('--config <file>', 'the configuration')
    .addOption(new Option('--jti <id>', 'the token with this id').conflicts(['sub', 'kid']))
    .addOption(new Option('--sub <name>', 'all tokens of this subject').conflicts(['jti', 'kid']))
    .addOption(new Option('--kid <key>', 'all tokens of this key').conflicts(['jti', 'sub']))
    .option('--json', 'print {claim, value, revoked_at} as JSON')
    .addHelpText(
      'after',
      `
Tokens without iat are refused as if they were made before. Passes made until now are refused as well; who is on an access list or
knows a password gets a new one, and a session goes on. Those end with latchkey link revoke, latchkey account disable,
latchkey common-key retire.

Examples:
  latchkey token revoke --config latchkey.yaml --sub user-1
  latchkey token revoke --config latchkey.yaml --jti 6f1c`,
    )
    .action((options: RevokeOptions) => revoke(options));
}

async function revoke({ config: file, jti, sub, kid, json }: RevokeOptions): Promise<void> {
  if (jti === undefined && sub === undefined && kid === undefined) {
    throw usageError('nothing named to revoke', 'name one of --jti, --sub and --kid');
  }
  const config = requireConfig(file);
  const body = {
    ...(jti !== undefined && { jti }),
    ...(sub !== undefined && { sub }),
    ...(kid !== undefined && { kid }),
  };
  const { withOperatorApi } = await import('../command/operator-api.ts');
  await withOperatorApi(config, {}, async (api) => {
    const revoked = await api.ask('POST', 'revocations', revokedShape, body);
    const { claim, value, revoked_at } = revoked;
    const until = new Date(revoked_at * 1000).toISOString();
    const text = `${styled('green', 'revoked')} tokens with ${claim} ${value}, made until ${until}`;
    const later = '\nno gateway runs; it will refuse them from its start on';
    printResult(json === undefined ? {} : { json }, revoked, api.isRunning ? text : text + later);
  });
}
