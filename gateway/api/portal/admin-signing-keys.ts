// The page of the signing keys: which key signs, which keys still verify, which are retired; forms to make, promote and retire a key.
// No secret of a key is ever on a page: only the command line exports keys. Rules of changes: control/signing-keys/change-signing-keys.ts.

import { z } from 'zod';
import {
  addSigningKey,
  listRing,
  promoteSigningKey,
  retireSigningKey,
  type SigningKeyChanged,
  type SigningKeyRefusal,
  type SigningKeyView,
} from '../../control/signing-keys/change-signing-keys.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { buttonForm, note, problemSummary, type SaidProblems, select } from './fields.ts';

const doneWords = {
  added: 'The key is there and is known everywhere. Let it sign when every server of yours has it.',
  promoted: 'That key signs from now on. The one before is still good for what it signed.',
  retired: 'That key is over: nothing that it signed opens anything any more.',
};

const purposes = [
  { value: 'content', label: 'Passes, shared with other servers' },
  { value: 'internal', label: 'Sign-ins, never shared' },
] as const;

const keys = definePage({
  path: 'admin/keys',
  who: 'admin',
  query: z.object({ done: z.enum(['added', 'promoted', 'retired']).optional() }),
  handle: (visit, { query: { done } }) => keysPage(visit, {}, 200, done),
});

async function keysPage(
  visit: PersonVisit,
  problems: SaidProblems,
  status: number,
  done?: keyof typeof doneWords,
): Promise<PageAnswer> {
  const ring = await listRing(visit.context);
  return visit.page({
    title: 'Signing keys',
    section: 'admin/keys',
    status,
    body: html`${problemSummary(problems)}${done === undefined ? null : note('good', doneWords[done])}
<p class="lead">Signing keys are how servers know that a pass or a sign-in was made here. One signs; others may still be good for what they signed.</p>
${purposes.map(({ value, label }) =>
  ringSection(
    visit,
    label,
    value,
    ring.filter(({ purpose }) => purpose === value),
  ),
)}
<section class="sheet" aria-labelledby="add"><h2 id="add">Make a new signing key</h2>
<p>It signs nothing until you say so.</p>
<form method="post" action="${visit.prefix}admin/keys">${visit.formToken()}
${select({ name: 'purpose', label: 'What for', choices: purposes, value: 'content' })}
<button type="submit">Make a key</button></form></section>`,
  });
}

function ringSection(visit: PersonVisit, title: string, id: string, ring: readonly SigningKeyView[]): Html {
  return html`<section aria-labelledby="ring-${id}"><h2 id="ring-${id}">${title}</h2>
${ring.length === 0 ? html`<p>None yet.</p>` : html`<ul class="items">${ring.map((key) => keyItem(visit, key))}</ul>`}</section>`;
}

const states = {
  signing: { label: 'signs', kind: 'good' },
  verifying: { label: 'good, not signing', kind: '' },
  retired: { label: 'over', kind: 'bad' },
} as const;

function keyItem(visit: PersonVisit, key: SigningKeyView): Html {
  const { label, kind } = states[key.state];
  const button = (verb: string, text: string, look: 'plain' | 'bad'): Html =>
    buttonForm({
      action: `${visit.prefix}admin/keys/${encodeURIComponent(key.id)}/${verb}`,
      formToken: visit.formToken(),
      text,
      label: `${text}: ${key.id}`,
      kind: look,
    });
  const origin =
    key.createdAt === null
      ? 'Stands in the configuration file, and is changed there.'
      : html`Made ${moment(key.createdAt)}.`;
  const mayChange = key.owner === 'store' && key.state === 'verifying';
  return html`<li><div class="between"><h3><code>${key.id}</code> <span class="tag ${kind}">${label}</span></h3>
${mayChange ? html`<div class="row">${button('promote', 'Let it sign', 'plain')}${button('retire', 'Retire', 'bad')}</div>` : null}</div>
<p class="soft">${origin}</p></li>`;
}

const add = defineForm({
  path: 'admin/keys',
  who: 'admin',
  form: z.object({ purpose: z.enum(['content', 'internal']) }),
  handle: async (visit, { form: { purpose } }) =>
    answerOf(visit, await addSigningKey(visit.context, visit.actor, { purpose, id: null }), 'added'),
});

const params = z.object({ key: z.string().min(1).max(128) });

const promote = defineForm({
  path: 'admin/keys/:key/promote',
  who: 'admin',
  params,
  form: z.object({}),
  handle: async (visit, { params: { key } }) =>
    answerOf(visit, await promoteSigningKey(visit.context, visit.actor, key), 'promoted'),
});

const retire = defineForm({
  path: 'admin/keys/:key/retire',
  who: 'admin',
  params,
  form: z.object({}),
  handle: async (visit, { params: { key } }) =>
    answerOf(visit, await retireSigningKey(visit.context, visit.actor, { id: key, force: false }), 'retired'),
});

async function answerOf(
  visit: PersonVisit,
  changed: SigningKeyChanged,
  done: keyof typeof doneWords,
): Promise<PageAnswer> {
  if (changed.kind === 'changed') return visit.redirect(`${visit.prefix}admin/keys?done=${done}`);
  if (changed.reason === 'unknown') return visit.errorPage(404);
  return keysPage(visit, { '': refusalWords(changed) }, 409);
}

function refusalWords({ reason, until }: SigningKeyRefusal): string | Html {
  switch (reason) {
    case 'declared':
      return 'Keys of this kind stand in the configuration file, and are changed there.';
    case 'only-signer':
      return 'This is the key that signs. Let another one sign first.';
    case 'in-use':
      return until === undefined
        ? 'Something that it signed may still be in use.'
        : html`What it signed may be in use until ${moment(until)}. Wait, or use the command line to retire it at once.`;
    case 'retired':
      return 'A retired key stays retired. Make a new one.';
    case 'bad-id':
    case 'exists':
    case 'internal':
    case 'unknown':
      return 'That cannot be done with this key.';
    default:
      return reason satisfies never;
  }
}

/** The pages of this file; `pages.ts` lists them. */
export const signingKeyPages: readonly PageRoute[] = [keys, add, promote, retire];
