// The table of gateway/cli/README.md against the command line's own help.

import { expect, test } from 'vitest';
import { codeSpans, section, tableRows } from '../support/run/pages.ts';
import { runHere } from '../support/run/run-here.ts';

const table = tableRows(section('gateway/cli/README.md', '## Commands'));

test('every command of the table has help', async () => {
  const commands = table.flatMap(([cell = '']) => codeSpans(cell));
  expect(commands.length).toBeGreaterThan(9);
  const firsts = [...new Set(commands.map((command) => command.split(' ')[0] ?? ''))];
  const groups = new Map<string, string>();
  for (const first of firsts) groups.set(first, (await runHere([first, '--help'])).stdout);
  for (const command of commands) {
    const [first = '', second = ''] = command.split(' ');
    const isGrouped = /^[a-z][a-z-]*$/.test(second);
    const help = groups.get(first);
    expect(help).toContain(`Usage: latchkey ${first}`);
    if (isGrouped) expect(help).toMatch(new RegExp(`^  ${second} `, 'm'));
    else for (const option of command.match(/--[a-z-]+/g) ?? []) expect(help).toContain(option);
  }
});

/** Names below `Commands:` of a help. */
function listed(help: string): string[] {
  const list = help.slice(help.indexOf('\nCommands:\n'));
  return help.includes('\nCommands:\n') ? [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name) : [];
}

test('the table names every command there is', async () => {
  const shown = table.map(([cell = '']) => cell).join('\n');
  const top = (await runHere(['--help'])).stdout;
  for (const name of listed(top.slice(0, top.indexOf('\nExamples:')))) {
    const below = listed((await runHere([name, '--help'])).stdout);
    const paths = below.length === 0 ? [name] : below.map((second) => `${name} ${second}`);
    for (const path of paths) expect(shown).toMatch(new RegExp(`\`${path}[ \`]`));
  }
});
