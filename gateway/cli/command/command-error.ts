// How a command says that it cannot do what it was asked to. The program turns it into lines on stderr and an exit code.

/** Exit codes: 0 done, 1 it did not work or does not hold, 2 the command line itself is wrong. */
type FailureCode = 1 | 2;

/** Ends a command. The message is for people: lower case, no full stop, never a secret. */
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

/** The same for a refusal that came as a value. */
export function refusalError(refusal: { readonly problem: string; readonly hint: string }): CommandError {
  return new CommandError(refusal.problem, { hint: refusal.hint });
}

/** A wrong command line. */
export function usageError(message: string, hint: string): CommandError {
  return new CommandError(message, { exitCode: 2, hint });
}
