// Which Range fields an upstream is spared: many or overlapping ranges cost a server far more than they cost the sender.
// A server may ignore a Range (RFC 9110 §14.2), so dropping one changes no meaning: the answer is whole.
// Rules: RFC 9110 §14.1.2, §14.2, §17.15; Apache CVE-2011-3192.

import { withoutBlanks } from '../../core/model/blanks.ts';

const maxRanges = 5;

// 15 digits: what no parser's integer overflows at
const rangeSpec = /^(\d{0,15})-(\d{0,15})$/;

/**
 * Whether a Range is to be ignored: more than five ranges, overlapping ones, or none that RFC 9110 knows.
 *
 * @param value  the field's value; several fields joined by commas, which no single range survives
 */
export function isAbusiveRange(value: string): boolean {
  // other units are none that a server knows; it ignores them itself
  if (!/^bytes=/i.test(value)) return false;
  const specs = value.slice('bytes='.length).split(',', maxRanges + 1);
  if (specs.length > maxRanges) return true;
  const spans: { readonly first: number; readonly last: number }[] = [];
  let suffixes = 0;
  for (const spec of specs) {
    const [, from = '', to = ''] = rangeSpec.exec(withoutBlanks(spec)) ?? [];
    if (from === '' && to === '') return true;
    if (from === '') {
      suffixes++;
      continue;
    }
    const first = Number(from);
    const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (last < first || spans.some((span) => first <= span.last && span.first <= last)) return true;
    spans.push({ first, last });
  }
  // a suffix meets every other suffix, and every range that goes on to the end
  return suffixes > 1 || (suffixes === 1 && spans.some((span) => span.last === Number.POSITIVE_INFINITY));
}
