// Counts a vitest run for the closing line of `npm test`, and names each skipped test with its reason.
// It only counts; test/run.mjs prints the line last of all, after vitest has ended. Stands beside vitest's own reporter.

import type { Reporter, TestModule, TestSuite } from 'vitest/node';

interface SkippedTest {
  /** File and full title. */
  readonly name: string;
  /** The note given to `context.skip(note)`, or why vitest itself left it out. */
  readonly reason: string;
}

interface RunSummary {
  readonly passed: number;
  /** Failed tests, and files or suites that failed outside of any test, and errors that nobody caught. */
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

/** Handed over to the parent process, if there is a channel to it. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): Promise<void> {
    const summary = summarise(modules, unhandledErrors.length);
    return new Promise((resolve) => {
      if (process.send === undefined) resolve();
      else process.send(summary, () => resolve());
    });
  }
}

/** Sums up a run. A file that could not be collected counts as one failure: its tests did not run, and that is no pass. */
function summarise(modules: ReadonlyArray<TestModule>, unhandledErrors: number): RunSummary {
  let passed = 0;
  let failed = unhandledErrors;
  const skipped: SkippedTest[] = [];
  for (const module of modules) {
    failed += countOwnErrors(module);
    for (const suite of module.children.allSuites()) failed += countOwnErrors(suite);
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed += 1;
      else if (result.state === 'failed') failed += 1;
      else {
        const note = result.state === 'skipped' ? result.note : 'did not run to its end';
        const fallback = test.options.mode === 'todo' ? 'not written yet' : 'no reason given';
        skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: note ?? fallback });
      }
    }
  }
  return { passed, failed, skipped };
}

/** A failed import or hook is an error of the file or suite itself; failed tests below it are counted on their own. */
function countOwnErrors(node: TestModule | TestSuite): number {
  return node.errors().length > 0 ? 1 : 0;
}
