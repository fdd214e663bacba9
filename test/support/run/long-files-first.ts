// The order of test files: those that start processes and wait for them come first, so that the end of a run has work for every
// worker. vitest knows how long files took only where they ran before, and otherwise goes by their sizes.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

const long = /\/test\/(?:faults|cli|package|browser|e2e|reloads|fuzz|bench\/run)\b/;

export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => long.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
