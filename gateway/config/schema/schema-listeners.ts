// The listeners of the configuration file: where visitors come, and what is spoken there.
// One value at a time; check/references-listeners.ts compares listeners with each other and with their files.

import { z } from 'zod';
import { filePath, ipBlock, listenAddress, routeHost, wordOf } from './values.ts';

const tls = z.strictObject({
  certificates: z
    .array(z.strictObject({ cert_file: filePath, key_file: filePath }))
    .min(1)
    .meta({ description: 'PEM; chosen by the names they are for, the first one when none fits' }),
  min_version: z
    .union([
      wordOf('version', ['1.2', '1.3']),
      // YAML reads the version without quotes as a number
      z.number().refine((version) => version === 1.2 || version === 1.3, { error: 'is neither 1.2 nor 1.3' }),
    ])
    .prefault('1.2')
    .meta({ description: '1.2 or 1.3' }),
  client_certificates: z
    .strictObject({
      ca_file: filePath.meta({ description: 'PEM; who may sign client certificates' }),
      mode: wordOf('mode', ['optional', 'required']),
      hosts: z
        .array(routeHost)
        .min(1)
        .optional()
        .meta({ description: 'hosts that ask for one; all hosts of the listener without it' }),
    })
    .optional(),
});

/** One entry of `listeners`. */
export const listenerSchema = z.strictObject({
  address: listenAddress,
  tls: tls.optional().meta({ description: 'end TLS here; plain HTTP without it' }),
  redirect_to_https: z
    .union([z.boolean(), z.number().int().min(1).max(65_535)])
    .prefault(false)
    .meta({ description: 'answer everything with the same address on https; true, or the port when it is not 443' }),
  proxy_protocol: z
    .strictObject({
      from: z.array(ipBlock).min(1).meta({ description: 'who sends the header; nobody else may connect' }),
    })
    .optional()
    .meta({ description: 'expect a PROXY protocol header on each connection' }),
});
