// One parameter inside a raw query: finding it, and taking it out. The rest of the query is never touched or decoded.

/** What `findParameter` saw. `value` is the first one's, as sent; empty when `count` is 0. */
interface FoundParameter {
  readonly count: number;
  readonly value: string;
}

const absent: FoundParameter = { count: 0, value: '' };

/**
 * @param query  raw, with its leading `?`
 * @param name   literal name; an encoded spelling of it is another parameter
 */
export function findParameter(query: string, name: string): FoundParameter {
  let at = query.indexOf(name, 1);
  if (at < 0) return absent;
  let count = 0;
  let value = '';
  for (; at >= 0; at = query.indexOf(name, at + 1)) {
    if (!isParameterAt(query, at, name)) continue;
    count++;
    if (count === 1) value = query.slice(Math.min(at + name.length + 1, endOf(query, at)), endOf(query, at));
  }
  return count === 0 ? absent : { count, value };
}

/** The values of all parameters of that name, as sent and in order, at most `most`. */
export function parameterValues(query: string, name: string, most: number): string[] {
  const values: string[] = [];
  for (const pair of query.slice(1).split('&')) {
    if (values.length >= most) break;
    if (pair === name) values.push('');
    else if (pair.startsWith(`${name}=`)) values.push(pair.slice(name.length + 1));
  }
  return values;
}

/** @returns the query without every parameter of that name; empty when nothing is left */
export function withoutParameter(query: string, name: string): string {
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== name && !pair.startsWith(`${name}=`));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function isParameterAt(query: string, at: number, name: string): boolean {
  const before = query.charCodeAt(at - 1);
  if (before !== 0x26 && at !== 1) return false;
  const behind = at + name.length;
  return behind === query.length || query.charCodeAt(behind) === 0x3d || query.charCodeAt(behind) === 0x26;
}

function endOf(query: string, at: number): number {
  const end = query.indexOf('&', at);
  return end < 0 ? query.length : end;
}
