// The table of endpoints in gateway/api/README.md against the OpenAPI document that the gateway serves.

import { expect, test } from 'vitest';
import { apiTableRows } from '../support/run/api-table.ts';
import { betweenMarks } from '../support/run/pages.ts';

test('the table of endpoints has every endpoint, whom it is for, what it does and what it takes', () => {
  const rows = betweenMarks('gateway/api/README.md', 'endpoints').trim().split('\n').slice(2);
  expect(rows).toEqual(apiTableRows());
});
