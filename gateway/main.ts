// The entry: arguments to a command, the command's outcome to an exit code. Also what the supervisor starts its children with.
// Everything else is cli/program.ts and the commands below it.

import { runInternalRole } from './cli/serve/role.ts';

const args = process.argv.slice(2);
if (!runInternalRole(args)) {
  // Loaded on demand: control and the edges have no use for the command line.
  const { runProgram } = await import('./cli/program.ts');
  // Set and not exited: what is still being written goes out.
  const code = await runProgram(args);
  if (code !== 0) process.exitCode = code;
}
