// The public halves of the edges' assertion keys, as the JWKS lists them.
// Only Ed25519 public keys are taken, so that no symmetric or private key can ever stand in the JWKS.
// A key outlives its edge by two minutes: assertions live 60 s and readers may keep a JWKS for 60 s.

import type { AssertionJwk } from '../../wire/reports.ts';

/** How long a key stays listed after its edge ended. */
const assertionKeyGraceMs = 120_000;
const maxKeys = 1000;

interface ListedKey {
  readonly jwk: AssertionJwk;
  readonly edge: string;
  /** Monotonic time at which the key is dropped; null while its edge lives. */
  endsAt: number | null;
}

/** Keys by `kid`. Times are monotonic milliseconds from the caller. */
export class AssertionKeys {
  readonly #keys = new Map<string, ListedKey>();

  /** Lists a key. False when the list is full of others, or when another edge already has that `kid` with another key. */
  add(edge: string, jwk: AssertionJwk, now: number): boolean {
    this.#dropEnded(now);
    const known = this.#keys.get(jwk.kid);
    if (known === undefined ? this.#keys.size >= maxKeys : known.jwk.x !== jwk.x) return false;
    this.#keys.set(jwk.kid, { jwk, edge, endsAt: null });
    return true;
  }

  /** To be called when an edge ended: its keys are dropped after two minutes, unless the edge lists them again before. */
  endEdge(edge: string, now: number): void {
    for (const key of this.#keys.values()) {
      if (key.edge === edge && key.endsAt === null) key.endsAt = now + assertionKeyGraceMs;
    }
  }

  list(now: number): AssertionJwk[] {
    this.#dropEnded(now);
    return [...this.#keys.values()].map((key) => key.jwk);
  }

  #dropEnded(now: number): void {
    for (const [kid, key] of this.#keys) if (key.endsAt !== null && key.endsAt <= now) this.#keys.delete(kid);
  }
}
