// The rows of the table of endpoints in gateway/api/README.md, as the OpenAPI document of `v1` has them.
// Only reads the document; the page is written by hand, and compared with these rows.

import { z } from 'zod';
import { describeApi } from '../../../gateway/api/serve/openapi.ts';
import { endpoints } from '../../../gateway/api/v1/endpoints.ts';

const bodyShape = z.object({
  content: z.object({
    'application/json': z.object({ schema: z.object({ properties: z.record(z.string(), z.unknown()).default({}) }) }),
  }),
});

const operationShape = z.object({
  summary: z.string(),
  security: z.array(z.unknown()).optional(),
  parameters: z.array(z.object({ name: z.string().optional(), in: z.string().optional() })),
  requestBody: bodyShape.optional(),
  responses: z.object({ '4XX': z.object({ description: z.string() }) }),
});

const pathsShape = z.record(z.string(), z.record(z.string(), operationShape));

/** One row an endpoint, in the order of the document. */
export function apiTableRows(): string[] {
  const paths = pathsShape.parse(describeApi(endpoints, null, '/.latchkey/', '1').paths);
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const { summary, security, parameters, requestBody, responses } = operation;
      const isForAnyone = security?.length === 0;
      const isForAdmins = responses['4XX'].description.includes('administrators only');
      const who = isForAnyone ? 'anyone' : isForAdmins ? 'administrators' : 'accounts';
      const query = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      const members = Object.keys(requestBody?.content['application/json'].schema.properties ?? {});
      const takes = [...query.map((name) => `\`?${name}\``), ...members.map((name) => `\`${name}\``)].join(', ');
      return `| \`${method.toUpperCase()} ${path.slice(1)}\` | ${who} | ${summary} | ${takes} |`;
    }),
  );
}
