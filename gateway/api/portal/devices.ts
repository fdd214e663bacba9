// The page "Where I am signed in": where the account is signed in and since when, with buttons to end a session or sign out a device.
// A device or session of another account answers 404, the same as one that never existed.

import { z } from 'zod';
import {
  type DeviceView,
  endDevice,
  endOtherSessions,
  endSession,
  listDevices,
  listSessions,
  renameDevice,
  type SessionView,
} from '../../control/sessions/my-sessions.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { refusalText } from '../serve/refusal-words.ts';
import { id, personName } from '../serve/shapes.ts';
import { buttonForm, field, note, type Problems, problemSummary } from './fields.ts';

const doneWords = {
  ended: 'That browser is signed out.',
  session: 'That sign-in has ended.',
  others: 'You are signed out everywhere else.',
  named: 'The name is changed.',
};

const devices = definePage({
  path: 'devices',
  who: 'account',
  query: z.object({ done: z.enum(['ended', 'session', 'others', 'named']).optional() }),
  handle: async (visit, { query: { done } }) => devicesPage(visit, {}, 200, done),
});

async function devicesPage(
  visit: PersonVisit,
  problems: Problems,
  status: number,
  done?: keyof typeof doneWords,
): Promise<PageAnswer> {
  const { context, actor, prefix } = visit;
  const [all, sessions] = await Promise.all([listDevices(context, actor), listSessions(context, actor)]);
  return visit.page({
    title: 'Where I am signed in',
    section: 'devices',
    status,
    body: html`${problemSummary(problems)}${done === undefined ? null : note('good', doneWords[done])}
<p class="lead">Every browser and app where you signed in. If you do not know one, sign it out and change your password.</p>
<ul class="items">${all.map((device) =>
      deviceItem(
        visit,
        device,
        sessions.filter((one) => one.deviceId === device.id),
      ),
    )}</ul>
${
  sessions.length > 1
    ? buttonForm({
        action: `${prefix}devices/others/end`,
        formToken: visit.formToken(),
        text: 'Sign out everywhere else',
        kind: 'bad',
      })
    : null
}`,
  });
}

function deviceItem(visit: PersonVisit, device: DeviceView, sessions: readonly SessionView[]): Html {
  const { prefix, context } = visit;
  const now = context.clock.epochSeconds();
  const name = device.name === '' ? 'A browser without a name' : device.name;
  return html`<li>
<div class="between"><h2>${name} ${device.isCurrent ? html`<span class="tag good">this one</span>` : null}</h2>
${
  device.isCurrent
    ? null
    : buttonForm({
        action: `${prefix}devices/${device.id}/end`,
        formToken: visit.formToken(),
        text: 'Sign out',
        label: `Sign out ${name}`,
        kind: 'bad',
      })
}</div>
<dl class="facts"><dt>Last used</dt><dd>${ago(device.lastSeenAt, now)}</dd><dt>First used</dt><dd>${moment(device.createdAt)}${device.firstLink === null ? null : html`, for “${device.firstLink}”`}</dd>${
    device.network === null ? null : html`<dt>Signed in from</dt><dd>${networkWords(device.network)}</dd>`
  }</dl>
<details><summary>Name and sign-ins<span class="unseen"> of ${name}</span></summary>
<form method="post" action="${prefix}devices/${device.id}/name" class="row" novalidate>${visit.formToken()}
${field({ name: `name-${device.id}`, label: 'Name of this browser', value: device.name, autocomplete: 'off', maxLength: 100 })}
<button class="plain" type="submit">Save</button></form>
${sessions.map((session) => sessionItem(visit, session, now))}
</details></li>`;
}

/** `192.0.2.…`: a part of an address that tells places apart, and is no address. */
export function networkWords(network: string): string {
  if (network === 'unknown') return 'an unknown place';
  return network.replace(/\.0\/24$/, '.…').replace(/::\/48$/, ':…');
}

function sessionItem(visit: PersonVisit, session: SessionView, now: number): Html {
  const end = session.isCurrent
    ? html`<span class="tag good">the one you use now</span>`
    : buttonForm({
        action: `${visit.prefix}sessions/${session.id}/end`,
        formToken: visit.formToken(),
        text: 'End this sign-in',
        kind: 'quiet',
      });
  return html`<div class="between"><p>Signed in ${moment(session.createdAt)}, used ${ago(session.lastSeenAt, now)}</p>${end}</div>`;
}

const deviceParams = z.object({ device: id });

const nameForm = defineForm({
  path: 'devices/:device/name',
  who: 'account',
  params: deviceParams,
  // the field's name ends in the device's id, so that each field has an id of its own on the page
  form: z.record(z.string().max(100), personName),
  handle: async (visit, { params: { device }, form }) => {
    const name = form[`name-${device}`] ?? '';
    const { requestId } = visit.origin;
    const outcome = await renameDevice(visit.context, visit.actor, { deviceId: device, name, requestId });
    switch (outcome.kind) {
      case 'renamed':
        return visit.redirect(`${visit.prefix}devices?done=named`);
      case 'bad-name':
        return devicesPage(visit, { '': refusalText('bad-name') }, 422);
      case 'unknown':
        return visit.errorPage(404);
      default:
        return outcome satisfies never;
    }
  },
});

const endDeviceForm = defineForm({
  path: 'devices/:device/end',
  who: 'account',
  params: deviceParams,
  form: z.object({}),
  handle: async (visit, { params: { device } }) => {
    const { requestId } = visit.origin;
    const outcome = await endDevice(visit.context, visit.actor, { deviceId: device, requestId });
    return outcome.kind === 'ended' ? visit.redirect(`${visit.prefix}devices?done=ended`) : visit.errorPage(404);
  },
});

const endOthersForm = defineForm({
  path: 'devices/others/end',
  who: 'account',
  form: z.object({}),
  handle: async (visit) => {
    await endOtherSessions(visit.context, visit.actor, visit.origin.requestId);
    return visit.redirect(`${visit.prefix}devices?done=others`);
  },
});

const endSessionForm = defineForm({
  path: 'sessions/:session/end',
  who: 'account',
  params: z.object({ session: id }),
  form: z.object({}),
  handle: async (visit, { params: { session } }) => {
    const { requestId } = visit.origin;
    const outcome = await endSession(visit.context, visit.actor, { sessionId: session, requestId });
    return outcome.kind === 'ended' ? visit.redirect(`${visit.prefix}devices?done=session`) : visit.errorPage(404);
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const devicePages: readonly PageRoute[] = [devices, nameForm, endOthersForm, endDeviceForm, endSessionForm];
