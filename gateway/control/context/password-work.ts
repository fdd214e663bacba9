// The one queue for the work that passwords cost, as use cases see it: one for each control process, held by the context, shared by
// accounts and the users file, so that `password_checks_per_second` bounds them together. Made by proof/password-work.ts.

/** The source that a check is for: sources take turns. */
export interface CheckSource {
  /** The network of a client, or the device that it proved to be. */
  readonly name: string;
  /** Whether the source proved good before; then its checks do not wait behind those of strangers. */
  readonly isKnown: boolean;
}

/** `busy` means that the check was never started. */
export type QueueOutcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

/** Runs checks few at a time and few per second. */
export interface WorkQueue {
  /** Checks that wait for their turn. */
  readonly waiting: number;
  /** Runs `check` when its turn comes. Rejects when `check` rejects. */
  readonly run: <T>(source: CheckSource, check: () => Promise<T>) => Promise<QueueOutcome<T>>;
  /** Whether a check of a stranger would get its turn in time, if the stranger's source had no other check waiting. */
  readonly isOpenToStrangers: () => boolean;
  /** Turns all waiting checks away. */
  readonly close: () => void;
}

type PasswordCheck =
  | { readonly kind: 'wrong' }
  /** `rehashed`: a new PHC string when the stored one was cheaper than what new ones cost, else null. */
  | { readonly kind: 'right'; readonly rehashed: string | null };

export interface PasswordWork {
  /** The queue itself, for checks of the users file. */
  readonly queue: WorkQueue;
  /**
   * PHC string of a new password; `busy` when too many wait.
   *
   * @param account  id of the account that it is for, whose owner has proved a right to it: by a code, by the password before, or by an administrator's word
   */
  readonly hash: (password: string, account: string) => Promise<QueueOutcome<string>>;
  /**
   * Whether this is the password, after `admit` said that the guess may be looked at; it runs when the work's turn has come.
   *
   * @param source  whose guesses wait for each other
   * @param stored  PHC string, or null for an account that is not there or has no password: `wrong`, after the same work
   */
  readonly check: <Refused>(
    source: CheckSource,
    stored: string | null,
    password: string,
    admit: () => Promise<Refused | null>,
  ) => Promise<QueueOutcome<PasswordCheck | { readonly kind: 'not-admitted'; readonly refused: Refused }>>;
  /** How many hashes were computed since the start. */
  readonly computations: () => number;
}
