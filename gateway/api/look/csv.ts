// Tables as CSV (RFC 4180), for programs that calculate. A cell that such a program would take for a formula gets an apostrophe in front,
// since cells hold words of people (CWE-1236).

/** @param rows  the first one has the names of the columns. @returns lines that end in CR LF */
export function csvText(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[ \t\r\n]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
