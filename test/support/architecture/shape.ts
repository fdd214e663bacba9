// The outward shape of files and folders: how long and how many they are, how they are named, what their comments cite.
// Nothing here looks at what the code does.

import type { SourceFile } from './syntax.ts';

const maxLines = 400;
const maxFilesInFolder = 24;

/** They run on Node 20 before types can be stripped, so they are JavaScript and cannot import the clock or the environment. */
export const bootstrapFiles: ReadonlySet<string> = new Set(
  ['install', 'runtime', 'latchkey', 'build'].map((name) => `gateway/${name}.mjs`),
);

export function checkLength({ text }: SourceFile): string[] {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= maxLines || readHeadComment(text).includes(`over ${maxLines} lines because`)) return [];
  return [`has ${lines} lines, ${maxLines} is the cap (or the head comment says "over ${maxLines} lines because …")`];
}

export function checkHeadComment({ text }: SourceFile): string[] {
  return readHeadComment(text) === '' ? ['has no head comment'] : [];
}

function readHeadComment(text: string): string {
  const lines = text.replace(/^#!.*\n/, '').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines.slice(0, end === -1 ? lines.length : end).join('\n');
}

export function checkNames(path: string): string[] {
  return path
    .split('/')
    .map((part) => part.replace(/\..*$/, ''))
    .filter((name) => /^(utils?|helpers?)$/.test(name))
    .map((name) => `is named "${name}"; a name says what is in it`);
}

/** @param path  a file of gateway/ */
export function checkLanguage(path: string): string[] {
  return path.endsWith('.ts') || bootstrapFiles.has(path) || path === 'gateway/runtime.d.mts'
    ? []
    : ['is not TypeScript, and not one of the files that Node 20 has to run'];
}

/**
 * Pages that comments name and the repository does not have. A page is named by its path from the root, as in
 * `gateway/ARCHITECTURE.md`; an address on the web is none.
 */
export function checkPages(comments: readonly string[], paths: ReadonlySet<string>): string[] {
  const named = comments.flatMap((comment) => comment.match(/[^\s"'`()[\]<>,;]+\.md\b/g) ?? []);
  const missing = new Set(named.filter((page) => !page.includes('://') && !paths.has(page)));
  return [...missing].map((page) => `a comment names ${page}, which is not in the repository`);
}

/** @param paths  all files of the repository */
export function checkFolders(paths: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > maxFilesInFolder)
    .map(
      ([folder, count]) => `${folder === '' ? 'the root' : folder}: has ${count} files, ${maxFilesInFolder} is the cap`,
    );
}
