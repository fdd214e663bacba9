// Reads environment variables: the one file that may touch process.env.
// Everything else takes an `Environment` as an argument, so that a test hands in its own.

/** Looks one variable up; undefined when it is not set. An empty value counts as set. */
export type Environment = (name: string) => string | undefined;

/** The process's own environment, as an `Environment`. */
export function readEnvironment(name: string): string | undefined {
  return process.env[name];
}
