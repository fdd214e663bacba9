// What is kept of one decision for a day, so that `explain` can say why a request was let in or refused. Shape only.
// Never in it: a token, a cookie, a secret, a query. Ids of nodes are public, see node-id.ts.

import type { LogPosition } from '../../model/change.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { TokenType } from '../../token/token-kinds.ts';

/** A token of which the signature held: whose it is and what it hangs on. */
export interface TokenFacts {
  readonly type: TokenType;
  /** Id of the key that signed it. */
  readonly key: string;
  readonly sub?: string;
  readonly jti?: string;
  readonly grant?: string;
  readonly session?: string;
  readonly device?: string;
  readonly nodes?: readonly string[];
  /** Where the log stood for the process that minted the token. */
  readonly minted?: LogPosition;
  readonly expiresAt: EpochSeconds;
}

/** Both answers of the access list to somebody who presented a link, and what came of it. */
export interface ClaimFacts {
  readonly link: string;
  /** The link key. The name stays, because records are files that the next version reads. */
  readonly accessKey: string;
  readonly account: string;
  readonly device: string;
  /** What `claimLink` answered: `granted`, `already`, `yours-otherwise`, or a refusal. */
  readonly outcome: string;
  /** null where it did not come to the question. */
  readonly isBound: boolean | null;
  readonly isAuthorisedOtherwise: boolean | null;
  readonly member: string | null;
}

export interface DecisionRecord {
  /** Request id; first, so that a line can be found without reading it. */
  readonly id: string;
  readonly at: EpochSeconds;
  /** Name of the edge, or `control`. */
  readonly by: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  /** Canonical, without token and query; cut. */
  readonly path: string;
  readonly route: string | null;
  /** 0 when the answer had not come when this was written. */
  readonly status: number;
  readonly outcome: 'allow' | 'deny' | 'claim';
  /** An AllowKind, a DenyReason, or the outcome of a claim. */
  readonly reason: string;
  readonly detail: string | null;
  /** What let it in; null for a password, for anyone, and for refusals. */
  readonly holder: TokenFacts | null;
  /** Whom the upstream was told it is. */
  readonly user: string | null;
  /** Member, share or ownership that let it in. */
  readonly grant: string | null;
  readonly nodes: readonly string[];
  /** What was presented and did not let it in, where its signature held. */
  readonly presented: readonly TokenFacts[];
  /** Up to where the process that decided knew the change log; null before it was loaded. */
  readonly position: LogPosition | null;
  readonly claim?: ClaimFacts;
}

/** How each line of the files begins. */
export function recordPrefix(requestId: string): string {
  return `{"id":${JSON.stringify(requestId)},`;
}

/** One line, with its end. */
export function recordLine(record: DecisionRecord): string {
  const { id, ...rest } = record;
  return `${recordPrefix(id)}${JSON.stringify(rest).slice(1)}\n`;
}
