// The allowed request that an answer is for, as those see it who write the answer's head. Shapes only; an `Exchange` is one.

import type { Permit } from '../../core/decision/decide.ts';
import type { Described } from '../request/describe.ts';

/** A request and how it came in. */
export interface VisitorsRequest {
  readonly request: Described;
  /** The client's connection. */
  readonly downstream: {
    /** The neighbour's address, or the one that a PROXY header named. */
    readonly peerAddress: string;
    readonly connection: { readonly scheme: 'http' | 'https' };
  };
}

/** A request that was forwarded, or is about to be. */
export interface AnsweredRequest extends VisitorsRequest {
  readonly permit: Permit;
  readonly requestId: string;
}
