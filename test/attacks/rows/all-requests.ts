// All rows that a client sends.

import type { RequestRow } from '../row.ts';
import { bodyRows } from './bodies.ts';
import { chunkRows } from './chunks.ts';
import { contentLengthRows } from './content-length.ts';
import { fieldRows } from './fields.ts';
import { hopByHopRows } from './hop-by-hop.ts';
import { hostRows } from './host.ts';
import { identityRows } from './identity.ts';
import { pathRows } from './path.ts';
import { rangeRows } from './ranges.ts';
import { startLineRows } from './start-line.ts';
import { targetRows } from './target.ts';
import { tokenRows } from './tokens.ts';
import { transferEncodingRows } from './transfer-encoding.ts';
import { variantRows } from './variants.ts';

export const requestRows: readonly RequestRow[] = [
  ...startLineRows,
  ...targetRows,
  ...pathRows,
  ...hostRows,
  ...contentLengthRows,
  ...transferEncodingRows,
  ...chunkRows,
  ...fieldRows,
  ...hopByHopRows,
  ...identityRows,
  ...bodyRows,
  ...rangeRows,
  ...tokenRows,
  ...variantRows,
];
