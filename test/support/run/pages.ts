// Reads the pages of this repository for the tests that run them: fenced blocks that an HTML comment marks, tables by their heading
// or marks. A block is marked by `<!-- test: NAME -->` on the line before its fence.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ShellSession } from './shell-session.ts';

export const repository = join(import.meta.dirname, '../../..');

/** Pages for people who use latchkey, in the order in which their examples are run: what one makes, the next may use. */
export const guides = [
  'README.md',
  'gateway/core/token/README.md',
  'gateway/edge/README.md',
  'config/README.md',
  'gateway/cli/README.md',
  'gateway/api/README.md',
  'gateway/telemetry/README.md',
  'bench/README.md',
] as const;

/** Pages for people who change or run it, without examples. */
export const otherPages = ['gateway/ARCHITECTURE.md', 'gateway/RULES.md', 'CHANGELOG.md'] as const;

type PagePath = (typeof guides)[number] | (typeof otherPages)[number];

/** The text of a page. */
export function readPage(path: PagePath): string {
  return readFileSync(join(repository, path), 'utf8');
}

interface MarkedBlock {
  readonly page: PagePath;
  readonly mark: string;
  readonly language: string;
  readonly text: string;
}

/** Every marked block of the guides, in order. */
export function markedBlocks(): MarkedBlock[] {
  return guides.flatMap((page) =>
    [...readPage(page).matchAll(/^<!-- test: (.+) -->\n```(\w+)\n([\s\S]*?)^```$/gm)].map(
      ([, mark = '', language = '', text = '']) => ({ page, mark, language, text }),
    ),
  );
}

/** The only block of that mark. */
export function markedBlock(mark: string): string {
  const found = markedBlocks().filter((block) => block.mark === mark);
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${found.length} blocks are marked ${mark}`);
  return block.text;
}

/** Cells of the table rows in a piece of text, without heads and rules. */
export function tableRows(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows
    .filter((line, index) => !isRule(line) && !isRule(rows[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

function isRule(line: string): boolean {
  return /^\|[-|: ]+\|$/.test(line);
}

/** The text between `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a page. */
export function betweenMarks(page: PagePath, name: string): string {
  const marks = new RegExp(`^<!-- ${name}:begin -->\\n([\\s\\S]*?)^<!-- ${name}:end -->$`, 'm');
  const match = marks.exec(readPage(page));
  if (match?.[1] === undefined) throw new Error(`${page} has no ${name}:begin and ${name}:end`);
  return match[1];
}

/** The text of a section of a page, from its heading to the next one of the same level or above. */
export function section(page: PagePath, heading: string): string {
  const text = readPage(page);
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`${page} has no section ${heading}`);
  const from = start + heading.length + 2;
  const level = heading.indexOf(' ');
  const end = text.slice(from).search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? text.slice(from) : text.slice(from, from + end);
}

/** Texts in backticks. */
export function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** A command of a shell block, and the lines below it that say what it prints; null when none do. */
interface ShellStep {
  readonly command: string;
  readonly prints: RegExp | null;
}

/** Takes a shell block apart. `# …` right below a command is its output, `…` in it is anything. A function is one command. */
export function shellSteps(block: string): ShellStep[] {
  const steps: { command: string; prints: string[] }[] = [];
  for (const line of block.split('\n')) {
    const step = steps.at(-1);
    const isInFunction = step !== undefined && /\{$/m.test(step.command) && !/^\}$/m.test(step.command);
    if (isInFunction) step.command += `\n${line}`;
    else if (line.startsWith('# ')) step?.prints.push(line.slice(2));
    else if (line !== '') steps.push({ command: line, prints: [] });
  }
  return steps.map(({ command, prints }) => ({
    command,
    prints: prints.length === 0 ? null : new RegExp(`^${prints.map(pattern).join('\n')}\n$`),
  }));
}

/** Runs the steps as a reader would; what they print has to be what the page says, and nothing on standard error. */
export async function expectSteps(shell: ShellSession, steps: readonly ShellStep[]): Promise<void> {
  for (const { command, prints } of steps) {
    const { stdout, code } = await shell.run(command);
    expect({ command, code, said: code === 0 ? '' : shell.errors }).toEqual({ command, code: 0, said: '' });
    // a terminal does not show the CR of a header line
    if (prints !== null) expect(stdout.replaceAll('\r\n', '\n'), command).toMatch(prints);
  }
}

function pattern(line: string): string {
  return line
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.+');
}
