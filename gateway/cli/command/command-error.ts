// The error by which a command says that it cannot do what it was asked to. program.ts turns it into lines on stderr and an exit code.

/** Exit codes of a failure: 1 when the command failed or found that something does not hold, 2 when the command line is wrong. */
type FailureCode = 1 | 2;

/** Ends a command, with exit code 1 by default. The message is for people: lower case, no full stop, never a secret. */
export class CommandError extends Error {
  readonly exitCode: FailureCode;
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly exitCode?: FailureCode; readonly hint?: string | undefined } = {}) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = options.exitCode ?? 1;
    this.hint = options.hint;
  }
}

/** The error for a refusal that another part of the program returned as a value; exit code 1. */
export function refusalError(refusal: { readonly problem: string; readonly hint: string }): CommandError {
  return new CommandError(refusal.problem, { hint: refusal.hint });
}

/** The error for a wrong command line; exit code 2. */
export function usageError(message: string, hint: string): CommandError {
  return new CommandError(message, { exitCode: 2, hint });
}
