// Tells over `v1` why a request was let in or refused. For administrators and the operator only, since the answer names people.
// The records and the chain come from control/explain; this file only gives them the shape of the API and decides nothing.

import { z } from 'zod';
import { explainRequest } from '../../control/explain/explain-request.ts';
import type { ClaimOutcome } from '../../control/links/claim-link.ts';
import type { ClaimFacts, DecisionRecord, TokenFacts } from '../../core/decision/verdict/decision-record.ts';
import { allowKinds, denyReasons } from '../../core/decision/verdict/reasons.ts';
import { tokenTypes } from '../../core/token/token-kinds.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';

const positionShape = z.object({ epoch: z.string(), seq: z.int() });

const tokenShape = z.object({
  type: z.enum(tokenTypes),
  key: z.string().describe('id of the key that signed it'),
  sub: z.string().optional(),
  jti: z.string().optional(),
  grant: z.string().optional(),
  session: z.string().optional(),
  device: z.string().optional(),
  nodes: z.array(z.string()).optional(),
  minted: positionShape.optional().describe('where the log stood for whoever made it'),
  expires_at: z.int(),
});

/** What became of links that people opened, from `claimLink` and `foreseeClaim`. A key for each, so that none is forgotten. */
const claimOutcomes = Object.keys({
  granted: true,
  already: true,
  'yours-otherwise': true,
  full: true,
  early: true,
  'past-window': true,
  'access-over': true,
  revoked: true,
  'member-revoked': true,
  'wrong-pair': true,
  'not-for-you': true,
  'account-not-able': true,
} satisfies Record<ClaimOutcome['kind'], true>);

const claimShape = z.object({
  link: z.string(),
  access_key: z.string(),
  account: z.string(),
  device: z.string(),
  outcome: z.string().meta({ enum: claimOutcomes }),
  is_bound: z.boolean().nullable().describe('was the account bound to this link already'),
  is_authorised_otherwise: z.boolean().nullable(),
  member: z.string().nullable(),
});

const recordShape = z.object({
  id: z.string(),
  at: z.int(),
  by: z.string(),
  client: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  route: z.string().nullable(),
  status: z.int(),
  outcome: z.enum(['allow', 'deny', 'claim']),
  reason: z
    .string()
    .meta({ enum: [...allowKinds, ...denyReasons, ...claimOutcomes] })
    .describe('why: what let it in, why it was refused, or what became of a claim'),
  detail: z.string().nullable(),
  holder: tokenShape.nullable().describe('the token that let it in'),
  user: z.string().nullable(),
  grant: z.string().nullable(),
  nodes: z.array(z.string()),
  presented: z.array(tokenShape).describe('tokens that did not let it in, where their signature held'),
  position: positionShape.nullable().describe('up to where whoever decided knew the log'),
  claim: claimShape.optional(),
});

/** The endpoints of this file; `endpoints.ts` lists them. */
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
      if (explanation.kind === 'not-found') return refuse(404, 'unknown', explanation.hint);
      const { records, chain } = explanation;
      return answer({ request: params.request, records: records.map(showRecord), chain: [...chain] });
    },
  }),
];

/** A decision record as JSON: in the answer of `v1/explain`, and in what `latchkey explain --json` prints. Times are epoch seconds. */
export function showRecord(record: DecisionRecord): z.output<typeof recordShape> {
  const { nodes, holder, presented, claim, ...same } = record;
  return {
    ...same,
    nodes: [...nodes],
    holder: holder === null ? null : showToken(holder),
    presented: presented.map(showToken),
    ...(claim === undefined ? {} : { claim: showClaim(claim) }),
  };
}

function showToken({ nodes, expiresAt, ...same }: TokenFacts): z.output<typeof tokenShape> {
  return { ...same, ...(nodes === undefined ? {} : { nodes: [...nodes] }), expires_at: expiresAt };
}

function showClaim({ accessKey, isBound, isAuthorisedOtherwise, ...same }: ClaimFacts): z.output<typeof claimShape> {
  return { ...same, access_key: accessKey, is_bound: isBound, is_authorised_otherwise: isAuthorisedOtherwise };
}
