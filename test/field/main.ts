// `npm run field`: programs that people use, through a gateway in front of a real Apache. Prints a table of what passed, what
// did not, and what is not installed; ends with 1 when something did not pass.

import { findProgram } from '../../bench/measure/programs.ts';
import { fieldChecks } from './checks.ts';
import { missingForRig, startFieldRig } from './rig.ts';

const missing = missingForRig();
if (missing !== null) {
  console.log(`field: nothing was run, ${missing}`);
} else {
  const rig = await startFieldRig(15);
  try {
    for (const check of fieldChecks) {
      const name = `${check.program.padEnd(9)} ${check.what.padEnd(52)}`;
      if (findProgram(check.program) === null) {
        console.log(`${name} not installed`);
        continue;
      }
      const { passed, problem } = await check.run(rig);
      console.log(`${name} ${problem === null ? passed : `FAILED ${passed}`}`);
      if (problem === null) continue;
      console.log(problem.replace(/^/gm, '    '));
      process.exitCode = 1;
    }
  } finally {
    await rig.close();
  }
}
