// The rules of gateway/ARCHITECTURE.md that a program can check, as one function from sources to violations.
// Pure: takes texts, reads no file; test/architecture.test.ts brings the files, and made-up ones for each rule.
// The rules themselves stand beside this file, by what they look at.

import { findCircles, findFilesOnlyTestsImport, findUnusedExports } from './import-graph.ts';
import { checkRooms } from './rooms.ts';
import {
  bootstrapFiles,
  checkFolders,
  checkHeadComment,
  checkLanguage,
  checkLength,
  checkNames,
  checkPages,
} from './shape.ts';
import { describeSyntax, type SourceFile, type Syntax } from './syntax.ts';
import { checkWings } from './wings.ts';
import {
  checkBlanks,
  checkClock,
  checkEnvironment,
  checkIdPrefixes,
  checkPurity,
  checkSql,
  readsTheWire,
} from './words.ts';

interface Violation {
  readonly rule: RuleName;
  /** `path: what is wrong`. */
  readonly message: string;
}

export type RuleName =
  | 'imports go down'
  | 'wings go down'
  | 'no circles'
  | 'no unused export'
  | 'no file for tests only'
  | 'core is pure'
  | 'environment in one place'
  | 'clock in one place'
  | 'SQL in the store'
  | 'id prefixes in one place'
  | 'blanks are SP and HT'
  | 'length'
  | 'files in a folder'
  | 'head comment'
  | 'pages exist'
  | 'names'
  | 'no barrel'
  | 'typescript only';

/**
 * All rules over all files; first what one file shows, in the order of the files, then what only all together show.
 *
 * @param files  every source of gateway/, bench/ and test/
 * @param paths  every file of the repository, sources and others
 */
export function findViolations(files: readonly SourceFile[], paths: ReadonlySet<string>): Violation[] {
  const sources = new Map(files.map((file) => [file.path, describeSyntax(file)]));
  const found = (rule: RuleName, messages: readonly string[]): Violation[] =>
    messages.map((message) => ({ rule, message }));
  return [
    ...files.flatMap((file) => findViolationsOfFile(file, paths, sources.get(file.path))),
    ...found('no circles', findCircles(sources)),
    ...found('no unused export', findUnusedExports(sources)),
    ...found('no file for tests only', findFilesOnlyTestsImport(sources)),
    ...found('files in a folder', checkFolders(paths)),
  ];
}

/** The rules that one file alone can break. */
export function findViolationsOfFile(
  file: SourceFile,
  paths: ReadonlySet<string>,
  syntax: Syntax = describeSyntax(file),
): Violation[] {
  const { path } = file;
  const found = (rule: RuleName, details: readonly string[]): Violation[] =>
    details.map((detail) => ({ rule, message: `${path}: ${detail}` }));
  const ofAll = [
    ...found('length', checkLength(file)),
    ...found('head comment', checkHeadComment(file)),
    ...found('pages exist', checkPages(syntax.comments, paths)),
    ...found('names', checkNames(path)),
    ...found('no barrel', syntax.isBarrel ? ['only passes on what other files export; import from those'] : []),
  ];
  if (!path.startsWith('gateway/')) return ofAll;
  return [
    ...ofAll,
    ...found('imports go down', checkRooms(path, syntax.imports)),
    ...found('wings go down', checkWings(path, syntax.imports)),
    ...found('typescript only', checkLanguage(path)),
    ...found('SQL in the store', checkSql(path, syntax)),
    ...found('id prefixes in one place', checkIdPrefixes(path, syntax)),
    ...(path.startsWith('gateway/core/') ? found('core is pure', checkPurity(syntax)) : []),
    ...(bootstrapFiles.has(path) ? [] : found('environment in one place', checkEnvironment(path, syntax))),
    ...(bootstrapFiles.has(path) ? [] : found('clock in one place', checkClock(path, syntax))),
    ...(readsTheWire(path) ? found('blanks are SP and HT', checkBlanks(syntax)) : []),
  ];
}
