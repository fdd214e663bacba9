// Walks a table in the order of its ids, a page at a time, for what is looked for seldom and has no index of its own: so that no
// unit reads a whole table, however large that has become.

/** A page of a walk: rows that were removed in it, and the last id of it; null when the table ended. */
export interface WalkedPage {
  readonly removed: number;
  readonly last: string | null;
}

/** Where a page begins, and how many rows it has. */
export interface WalkFrom {
  /** Last id of the page before; empty for the first one. */
  readonly after: string;
  readonly rows: number;
}

/** The last id of a page. @param ids  of the page, in order */
export function endOfPage(ids: readonly { readonly id: string }[], { rows }: WalkFrom): string | null {
  return ids.length < rows ? null : (ids.at(-1)?.id ?? null);
}
