// The memos of field names that all connections of an edge share, for requests and for answers, kept true over reloads.
// Names that answers' policies act on only come: a request that began before a reload still has the policy of that time.

import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { FieldNames } from '../../http1/field-names.ts';
import { requestFieldNames, responseFieldNames } from './field-classes.ts';

export class MessageNames {
  requests: FieldNames;
  responses: FieldNames;
  readonly #policyNames: Set<string>;

  constructor(snapshot: Snapshot) {
    this.#policyNames = new Set(snapshot.responseFields);
    this.requests = requestFieldNames(snapshot);
    this.responses = responseFieldNames(this.#policyNames);
  }

  /** Takes the names of a new configuration. */
  learn(snapshot: Snapshot): void {
    this.requests = requestFieldNames(snapshot);
    const before = this.#policyNames.size;
    for (const name of snapshot.responseFields) this.#policyNames.add(name);
    if (this.#policyNames.size !== before) this.responses = responseFieldNames(this.#policyNames);
  }
}
