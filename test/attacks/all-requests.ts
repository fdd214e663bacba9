// All rows that a client sends.

import type { RequestRow } from './row.ts';
import { bodyRows } from './rows/bodies.ts';
import { chunkRows } from './rows/chunks.ts';
import { contentLengthRows } from './rows/content-length.ts';
import { fieldRows } from './rows/fields.ts';
import { hopByHopRows } from './rows/hop-by-hop.ts';
import { hostRows } from './rows/host.ts';
import { identityRows } from './rows/identity.ts';
import { lookAlikeRows } from './rows/look-alikes.ts';
import { optInRows } from './rows/opt-ins.ts';
import { passRows } from './rows/passes.ts';
import { pathRows } from './rows/path.ts';
import { pathEndRows } from './rows/path-ends.ts';
import { policyRows } from './rows/policy.ts';
import { proxyHeaderRows } from './rows/proxy-headers.ts';
import { rangeRows } from './rows/ranges.ts';
import { secondTargetRows } from './rows/second-targets.ts';
import { sessionRows } from './rows/sessions.ts';
import { startLineRows } from './rows/start-line.ts';
import { targetRows } from './rows/target.ts';
import { tokenRows } from './rows/tokens.ts';
import { transferEncodingRows } from './rows/transfer-encoding.ts';
import { upgradeRows } from './rows/upgrades.ts';
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
