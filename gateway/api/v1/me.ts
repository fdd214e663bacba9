// The endpoints of `v1` for the account that is signed in: its name, its export, its sessions and its devices.
// They are for accounts only: the operator has none, and gets the refusal `not-an-account`.

import { z } from 'zod';
import { exportAccount } from '../../control/accounts/export-account.ts';
import { renameAccount } from '../../control/accounts/rename-account.ts';
import type { Actor } from '../../control/context/control-context.ts';
import {
  endDevice,
  endOtherSessions,
  endSession,
  listDevices,
  listSessions,
  renameDevice,
} from '../../control/sessions/my-sessions.ts';
import { readAccount } from '../../store/rows/accounts.ts';
import { makeFormToken } from '../serve/cross-site.ts';
import { answer, defineEndpoint, type Endpoint, empty, type Refusal, refuse } from '../serve/endpoint.ts';
import { refusalFor, tooManyTries } from '../serve/refusal-words.ts';
import { id, personName } from '../serve/shapes.ts';

/** The account that asks; null for the operator. */
function personOf(actor: Actor): Extract<Actor, { readonly kind: 'account' }> | null {
  return actor.kind === 'account' ? actor : null;
}

const noPerson: Refusal = refusalFor('not-an-account');

const meShape = z.object({
  account: z.string(),
  email: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  role: z.enum(['user', 'admin']),
  session: z.string(),
  device: z.string(),
  csrf_token: z.string().meta({ description: 'send it as X-CSRF-Token where no Origin field can be sent' }),
});

/** Served as `v1/me` and also as `me` right behind the reserved prefix, where other gateways have such an endpoint. */
export const me = defineEndpoint({
  method: 'GET',
  path: 'me',
  summary: 'The account that is signed in',
  who: 'account',
  response: meShape,
  handle: async ({ context, actor }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const record = await readAccount(context.store.sql, person.accountId);
    if (record === null) return refuse(404, 'unknown', 'The account is gone.');
    return answer({
      account: person.accountId,
      email: record.email,
      name: record.displayName,
      groups: [...record.groups],
      role: record.role,
      session: person.sessionId,
      device: person.deviceId,
      csrf_token: makeFormToken(context, person.sessionId),
    });
  },
});

const rename = defineEndpoint({
  method: 'PATCH',
  path: 'me',
  summary: 'Change one’s own name',
  who: 'account',
  body: z.strictObject({ name: personName }),
  response: null,
  handle: async ({ context, actor, body, request }) => {
    const { requestId } = request;
    const outcome = await renameAccount(context, actor, { displayName: body.name, requestId });
    if (outcome.kind === 'renamed') return empty;
    return outcome.reason === 'bad-name' ? refusalFor('bad-name') : noPerson;
  },
});

const exported = defineEndpoint({
  method: 'GET',
  path: 'me/export',
  summary: 'Everything that is kept of the account',
  who: 'account',
  response: z.record(z.string(), z.unknown()),
  handle: async ({ context, actor, request }) => {
    const outcome = await exportAccount(context, actor, { requestId: request.requestId });
    if (outcome.kind === 'busy') return tooManyTries(outcome.retryAfterSeconds);
    if (outcome.kind === 'refused') return noPerson;
    return answer({ ...outcome.document });
  },
});

const sessionShape = z.object({
  id: z.string(),
  device: z.string(),
  created_at: z.int(),
  last_seen_at: z.int(),
  expires_at: z.int(),
  is_current: z.boolean(),
});

const sessions = defineEndpoint({
  method: 'GET',
  path: 'sessions',
  summary: 'One’s own sign-ins that hold',
  who: 'account',
  response: z.object({ sessions: z.array(sessionShape) }),
  handle: async ({ context, actor }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const found = await listSessions(context, person);
    return answer({
      sessions: found.map((one) => ({
        id: one.id,
        device: one.deviceId,
        created_at: one.createdAt,
        last_seen_at: one.lastSeenAt,
        expires_at: one.expiresAt,
        is_current: one.isCurrent,
      })),
    });
  },
});

const endOne = defineEndpoint({
  method: 'DELETE',
  path: 'sessions/:session',
  summary: 'End one of one’s own sign-ins',
  who: 'account',
  params: z.object({ session: id }),
  response: null,
  handle: async ({ context, actor, params, request }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const outcome = await endSession(context, person, { sessionId: params.session, requestId: request.requestId });
    return outcome.kind === 'ended' ? empty : refuse(404, 'unknown', 'There is no such session.');
  },
});

const endOthers = defineEndpoint({
  method: 'DELETE',
  path: 'sessions',
  summary: 'End all of one’s own sign-ins but this one',
  who: 'account',
  response: z.object({ ended: z.int() }),
  handle: async ({ context, actor, request }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    return answer({ ended: await endOtherSessions(context, person, request.requestId) });
  },
});

const deviceShape = z.object({
  id: z.string(),
  name: z.string(),
  created_at: z.int(),
  last_seen_at: z.int(),
  is_current: z.boolean(),
  sessions: z.int(),
  network: z.string().nullable(),
  first_link: z.string().nullable(),
});

const devices = defineEndpoint({
  method: 'GET',
  path: 'devices',
  summary: 'One’s own devices',
  who: 'account',
  response: z.object({ devices: z.array(deviceShape) }),
  handle: async ({ context, actor }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const found = await listDevices(context, person);
    return answer({
      devices: found.map((one) => ({
        id: one.id,
        name: one.name,
        created_at: one.createdAt,
        last_seen_at: one.lastSeenAt,
        is_current: one.isCurrent,
        sessions: one.sessions,
        network: one.network,
        first_link: one.firstLink,
      })),
    });
  },
});

const deviceParams = z.object({ device: id });

const nameDevice = defineEndpoint({
  method: 'PATCH',
  path: 'devices/:device',
  summary: 'Name one of one’s own devices',
  who: 'account',
  params: deviceParams,
  body: z.strictObject({ name: personName }),
  response: null,
  handle: async ({ context, actor, params, body, request }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const asked = { deviceId: params.device, name: body.name, requestId: request.requestId };
    const outcome = await renameDevice(context, person, asked);
    if (outcome.kind === 'renamed') return empty;
    return outcome.kind === 'bad-name' ? refusalFor('bad-name') : refuse(404, 'unknown', 'There is no such device.');
  },
});

const endOneDevice = defineEndpoint({
  method: 'DELETE',
  path: 'devices/:device',
  summary: 'End one of one’s own devices: it is signed out and unknown from now on',
  who: 'account',
  params: deviceParams,
  response: null,
  handle: async ({ context, actor, params, request }) => {
    const person = personOf(actor);
    if (person === null) return noPerson;
    const outcome = await endDevice(context, person, { deviceId: params.device, requestId: request.requestId });
    return outcome.kind === 'ended' ? empty : refuse(404, 'unknown', 'There is no such device.');
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const meEndpoints: readonly Endpoint[] = [
  me,
  rename,
  exported,
  sessions,
  endOthers,
  endOne,
  devices,
  nameDevice,
  endOneDevice,
];
