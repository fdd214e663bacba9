// Walks a table in the order of its ids, a page at a time, for searches that are rare and have no index: so no unit reads a whole
// table, however large the table has become.

/** The result of a page: how many of its rows were removed, and the page's last id; null when the table ended. */
export interface WalkedPage {
  readonly removed: number;
  readonly last: string | null;
}

/** Where a page begins, and how many rows it has. */
export interface WalkFrom {
  /** Last id of the page before; empty for the first page. */
  readonly after: string;
  readonly rows: number;
}

/** The last id of a page, from its ids in order; null when the table ended with this page. */
export function endOfPage(ids: readonly { readonly id: string }[], { rows }: WalkFrom): string | null {
  return ids.length < rows ? null : (ids.at(-1)?.id ?? null);
}
