// Programs that people use, through a gateway in front of a real Apache; those that are installed (`npm run field` prints a table).

import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProgram } from '../../bench/measure/programs.ts';
import { fieldChecks } from './checks.ts';
import { type FieldRig, missingForRig, startFieldRig } from './rig.ts';

const missing = missingForRig();
let rig: FieldRig | null = null;
beforeAll(async () => {
  if (missing === null) rig = await startFieldRig(3);
});
afterAll(() => rig?.close());

test.for(fieldChecks)('$program: $what', async (check, { skip }) => {
  if (rig === null) return skip(missing ?? 'the site did not start');
  if (findProgram(check.program) === null) return skip(`${check.program} is not installed`);
  expect((await check.run(rig)).problem).toBeNull();
});
