// Why a request was let in or refused, over `v1`: for administrators and the operator, since it names people.
// What is known is control/explain's; nothing is decided here.

import { z } from 'zod';
import { explainRequest } from '../../control/explain/explain-request.ts';
import type { DecisionRecord } from '../../core/model/decision-record.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../endpoint.ts';

const recordShape = z.object({
  at: z.int(),
  by: z.string(),
  client: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  route: z.string().nullable(),
  status: z.int(),
  outcome: z.enum(['allow', 'deny', 'claim']),
  reason: z.string(),
  detail: z.string().nullable(),
  user: z.string().nullable(),
  grant: z.string().nullable(),
  nodes: z.array(z.string()),
});

export const explainEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'GET',
    path: 'explain/:request',
    summary: 'Why a request of the last day was let in or refused, and by whose doing',
    who: 'admin',
    params: z.object({ request: z.string().min(1).max(200) }),
    response: z.object({
      request: z.string(),
      records: z.array(recordShape),
      chain: z.array(z.object({ at: z.int().nullable(), node: z.string().nullable(), text: z.string() })),
    }),
    handle: async ({ context, params }) => {
      const explanation = await explainRequest(context, params.request);
      if (explanation.kind === 'not-found') return refuse(404, 'unknown-request', explanation.hint);
      const { records, chain } = explanation;
      return answer({ request: params.request, records: records.map(showRecord), chain: [...chain] });
    },
  }),
];

function showRecord({ nodes, ...record }: DecisionRecord): z.output<typeof recordShape> {
  return { ...record, nodes: [...nodes] };
}
