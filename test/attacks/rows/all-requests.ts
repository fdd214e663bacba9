// All rows that a client sends.

import type { RequestRow } from '../row.ts';
import { bodyRows } from './bodies.ts';
import { chunkRows } from './chunks.ts';
import { contentLengthRows } from './content-length.ts';
import { fieldRows } from './fields.ts';
import { hopByHopRows } from './hop-by-hop.ts';
import { hostRows } from './host.ts';
import { identityRows } from './identity.ts';
import { lookAlikeRows } from './look-alikes.ts';
import { optInRows } from './opt-ins.ts';
import { passRows } from './passes.ts';
import { pathRows } from './path.ts';
import { pathEndRows } from './path-ends.ts';
import { policyRows } from './policy.ts';
import { proxyHeaderRows } from './proxy-headers.ts';
import { rangeRows } from './ranges.ts';
import { secondTargetRows } from './second-targets.ts';
import { sessionRows } from './sessions.ts';
import { startLineRows } from './start-line.ts';
import { targetRows } from './target.ts';
import { tokenRows } from './tokens.ts';
import { transferEncodingRows } from './transfer-encoding.ts';
import { upgradeRows } from './upgrades.ts';
import { variantRows } from './variants.ts';

/** Rows of the families that differ from a sister by one byte alone: they count as variants. */
const oneByte = new Set([
  ...['tab-behind-method', 'tab-behind-target', 'leading-tab', 'trailing-tab', 'cr-first', 'cr-ends-line'].map(
    (id) => `start-line.${id}`,
  ),
  ...['tab', 'nul', 'del', 'less-than', 'high-byte'].map((id) => `target.${id}`),
  ...[
    'encoded-dots-upper',
    'encoded-slash-upper',
    'encoded-backslash-upper',
    'encoded-lf',
    'encoded-tab',
    'encoded-del',
  ].map((id) => `path.${id}`),
  ...['backslash', 'quote', 'less-than', 'asterisk', 'fragment', 'query', 'tab-inside'].map((id) => `host.${id}`),
  ...['tab-before-colon', 'nul-before-colon', 'underscored', 'dotted', 'tab-inside', 'minus', 'no-break-space'].map(
    (id) => `content-length.${id}`,
  ),
  ...[
    'form-feed',
    'nul',
    'no-break-space',
    'blank-behind',
    'name-tab',
    'name-nul',
    'name-vertical-tab',
    'folded-tab',
  ].map((id) => `transfer-encoding.${id}`),
  ...['name-no-break-space', 'name-leading-tab', 'name-dot', 'hidden-by-lf'].map((id) => `transfer-encoding.${id}`),
  ...[
    'size-tab-before',
    'size-tab-behind',
    'size-nul',
    'size-cr',
    'data-cr',
    'size-minus',
    'size-comma',
    'size-dot',
  ].map((id) => `chunks.${id}`),
  ...['tab-before-colon', 'folded-tab', 'at', 'slash', 'quote', 'equals', 'tilde', 'dot', 'escape', 'delete'].map(
    (id) => `fields.${id}`,
  ),
  ...['spelled-tab', 'spelled-dots'].map((id) => `identity.${id}`),
]);

const allRows: readonly RequestRow[] = [
  ...startLineRows,
  ...targetRows,
  ...pathRows,
  ...pathEndRows,
  ...secondTargetRows,
  ...hostRows,
  ...contentLengthRows,
  ...transferEncodingRows,
  ...chunkRows,
  ...fieldRows,
  ...hopByHopRows,
  ...identityRows,
  ...lookAlikeRows,
  ...bodyRows,
  ...rangeRows,
  ...tokenRows,
  ...passRows,
  ...sessionRows,
  ...optInRows,
  ...policyRows,
  ...proxyHeaderRows,
  ...upgradeRows,
  ...variantRows,
];

export const requestRows: readonly RequestRow[] = allRows.map((row) =>
  oneByte.has(row.id) ? { ...row, isVariant: true } : row,
);
