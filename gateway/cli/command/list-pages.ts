// Lists of the operator's endpoints, which come in pages.

/** The parts that are said, as a query. */
export function queryOf(parts: Readonly<Record<string, string | null | undefined>>): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value != null) all.set(name, value);
  return all.toString();
}

/** The items of all pages of a list. @param ask  fetches the page behind `after`; null for the first */
export async function listAll<T>(
  ask: (after: string | null) => Promise<{ items: readonly T[]; next: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  let after: string | null = null;
  do {
    const page: { items: readonly T[]; next: string | null } = await ask(after);
    all.push(...page.items);
    after = page.next;
  } while (after !== null);
  return all;
}
