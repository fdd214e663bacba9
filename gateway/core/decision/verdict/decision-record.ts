// The record of one decision, which is kept for a day so that `explain` can say why a request was let in or refused. Shape only.
// A record never holds a token, a cookie, a secret or a query. Ids of nodes are public: see core/model/node-id.ts.

import type { LogPosition } from '../../model/change.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { TokenType } from '../../token/token-kinds.ts';

/** A token whose signature held: its subject, and the nodes that it hangs on. */
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
  /** The place of the log up to which the maker of the token knew it. */
  readonly minted?: LogPosition;
  readonly expiresAt: EpochSeconds;
}

/** Both answers of the access list to an account that presented a link, and the outcome. */
export interface ClaimFacts {
  readonly link: string;
  /** The link key. The name stays, because records are files that the next version reads. */
  readonly accessKey: string;
  readonly account: string;
  readonly device: string;
  /** What `claimLink` answered: `granted`, `already`, `yours-otherwise`, or a refusal. */
  readonly outcome: string;
  /** null where the question did not arise. */
  readonly isBound: boolean | null;
  readonly isAuthorisedOtherwise: boolean | null;
  readonly member: string | null;
}

export interface DecisionRecord {
  /** The request id. It is the first member, so that a line can be found without parsing it. */
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
  /** 0 when the record was written before the answer had a status. */
  readonly status: number;
  readonly outcome: 'allow' | 'deny' | 'claim';
  /** An AllowKind, a DenyReason, or the outcome of a claim. */
  readonly reason: string;
  readonly detail: string | null;
  /** The token that let the request in; null for a password, for anyone, and for refusals. */
  readonly holder: TokenFacts | null;
  /** The user that the upstream was told. */
  readonly user: string | null;
  /** The member, share or ownership that let the request in. */
  readonly grant: string | null;
  readonly nodes: readonly string[];
  /** The tokens that were presented, did not let the request in, and had a good signature. */
  readonly presented: readonly TokenFacts[];
  /** The place of the log up to which the process that decided knew it; null before the index was loaded. */
  readonly position: LogPosition | null;
  readonly claim?: ClaimFacts;
}

/** The beginning of a record's line in the files. */
export function recordPrefix(requestId: string): string {
  return `{"id":${JSON.stringify(requestId)},`;
}

/** A record as one line, with its line end. */
export function recordLine(record: DecisionRecord): string {
  const { id, ...rest } = record;
  return `${recordPrefix(id)}${JSON.stringify(rest).slice(1)}\n`;
}
