// `telemetry` of the configuration file: the trace context of requests, and where spans go.

import { z } from 'zod';
import { wordOf } from './values.ts';

const endpoint = z.string().refine(
  (text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.hash === '';
  },
  { error: 'is not the URL of a collector (write http://127.0.0.1:4318/v1/traces, and passwords as headers)' },
);

const otlp = z.strictObject({
  endpoint: endpoint.meta({ description: 'URL that takes traces by OTLP over HTTP: http://127.0.0.1:4318/v1/traces' }),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'is not the name of a header'), z.string().min(1).max(2000))
    .prefault({})
    .meta({ description: 'sent with each export, such as a key of the collector' }),
  service_name: z.string().min(1).max(100).prefault('latchkey').meta({ description: 'name of this gateway in traces' }),
  sample: z
    .number()
    .gt(0)
    .max(1)
    .prefault(1)
    .meta({ description: 'share of requests whose span is exported, taken by chance' }),
});

export const telemetry = z
  .strictObject({
    trace_context: wordOf('choice', ['off', 'on']).prefault('off').meta({
      description: 'on: each request goes on with a traceparent, in the trace of its client or a new one',
    }),
    otlp: otlp.optional(),
  })
  .prefault({})
  .meta({ description: 'trace context (W3C), and spans for an OpenTelemetry collector' });
