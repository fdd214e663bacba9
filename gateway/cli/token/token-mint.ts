// `latchkey token mint`: makes an outside token that is signed with the common key of a configuration.
// The token is printed on stdout and appears nowhere else.

import type { Command } from 'commander';
import { usageError } from '../command/command-error.ts';
import { requireConfig, requireKeyRing, requireSigner } from '../command/load-config.ts';
import { printResult, printWarning } from '../command/terminal.ts';
import { type ClaimOptions, listOption, mintFromOptions, repeatedOption } from './claims.ts';

interface MintOptions extends ClaimOptions {
  readonly config: string;
  readonly key?: string;
  readonly unscoped?: boolean;
  readonly json?: boolean;
}

/** Adds the command `mint` to its group. */
export function tokenMintCommand(token: Command): void {
  token
    .command('mint')
    .description('make a token')
    .requiredOption('--config <file>', 'configuration whose common key signs')
    .option('--sub <name>', 'who the token is for')
    .option('--paths <pattern>', "what it opens: '/vod/*' is everything below /vod/; repeatable", repeatedOption)
    .option('--unscoped', 'no paths at all, for routes that say unscoped_tokens: allow')
    .option('--ttl <duration>', 'how long it holds', '15m')
    .option('--methods <list>', 'only these methods; GET includes HEAD', listOption)
    .option('--hosts <list>', 'only these hosts', listOption)
    .option('--ips <list>', 'only from these addresses or CIDR blocks', listOption)
    .option('--aud <list>', 'audience, for routes that demand one', listOption)
    .option('--claims <json>', 'further claims, such as email, groups, name')
    .option('--key <id>', 'sign with this key instead of the signing one')
    .option('--json', 'print {token, kid, claims} as JSON')
    .addHelpText(
      'after',
      `
Examples:
  latchkey token mint --config latchkey.yaml --sub user-1 --paths '/vod/*' --ttl 15m
  latchkey token mint --config latchkey.yaml --sub anna --paths '/*' --hosts app.example.org \\
    --claims '{"email":"anna@example.org","groups":["staff"]}'
  curl -H "Authorization: Bearer $(latchkey token mint --config latchkey.yaml --paths '/vod/*')" http://localhost:8080/vod/`,
    )
    .action(async (options: MintOptions) => {
      if (options.paths === undefined && options.unscoped !== true) {
        throw usageError(
          'a token without --paths opens nothing on most routes',
          "add --paths '/vod/*', or --unscoped if that is meant",
        );
      }
      if (options.paths !== undefined && options.unscoped === true) {
        throw usageError('--paths and --unscoped exclude each other', 'drop one of them');
      }
      const config = requireConfig(options.config);
      const key = requireSigner(await requireKeyRing(config, { missing: 'make' }), options.key);
      const minted = mintFromOptions(options, key);
      const ttl = minted.claims.exp - minted.claims.iat;
      const longest = Math.max(...config.routes.map((route) => route.maxTokenTtlSeconds));
      if (ttl > longest) {
        printWarning({
          path: '--ttl',
          problem: `no route takes a token that lives ${ttl} s`,
          hint: `the longest max_token_ttl is ${longest} s`,
        });
      }
      printResult(options, minted, minted.token);
    });
}
