// How the tests run: in processes, two at a time, so that a 2-core machine keeps its clocks honest.
// A test may start servers and browsers, hence the long limits; nothing is retried, a flaky test is a broken one.
// Files share a process, which has loaded the gateway already: nearly half of what most of them cost. So a file leaves nothing
// behind that another could meet: what it opens it closes, what it changes of the process it puts back.

import { defineConfig } from 'vitest/config';
import { LongFilesFirst } from './test/support/run/long-files-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    isolate: false,
    sequence: { sequencer: LongFilesFirst },
    globalSetup: ['test/support/run/postgres-run.ts'],
    // only what never comes takes so long: how fast the machine is must decide nothing
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // a condition that is polled for comes when the machine gets to it
    expect: { poll: { timeout: 60_000 } },
  },
});
