// The form that makes a link, and the page that shows a link's URL. The URL stands in that one answer only, and is stored nowhere.

import { z } from 'zod';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { createLink } from '../../control/links/create-link.ts';
import type { LinkProblem } from '../../control/links/link-input.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import { type Html, html } from '../look/html.ts';
import {
  defineForm,
  definePage,
  type PageAnswer,
  type PageRoute,
  type PersonVisit,
  type Visit,
} from '../serve/page-route.ts';
import { collectionName } from '../serve/shapes.ts';
import { field, momentField, type Problems, problemSummary, readMoment, select, zoneField } from './fields.ts';
import { linkFacts, readPath } from './link-words.ts';

const shape = z.object({
  collection: collectionName.default(''),
  path: z.string().max(2500).default(''),
  label: z.string().max(1000).default(''),
  people: z.string().max(20).default('1'),
  claimUntil: z.string().max(40).default(''),
  accessUntil: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
  notify: z.string().max(10).default(''),
});

type Fields = z.infer<typeof shape>;

/** The text for each problem, beside the field that it belongs to. */
const problems: Readonly<Record<LinkProblem, Problems>> = {
  'bad-path': { path: 'This has to lie in the collection. Leave it empty for all of it.' },
  'bad-label': { label: 'Give it a name of one line, up to 120 characters.' },
  'bad-claims': { people: 'A number from 1 to 10000, please.' },
  'bad-window': { accessUntil: 'These times have to lie in the future.' },
  'bad-methods': { '': 'That cannot be chosen.' },
};

const newLink = definePage({
  path: 'links/new',
  who: 'account',
  handle: async (visit) => {
    const [first] = choicesOf(visit);
    return first === undefined
      ? visit.errorPage(404)
      : formPage(visit, shape.parse({ collection: first.name }), {}, 200);
  },
});

const newLinkForm = defineForm({
  path: 'links/new',
  who: 'account',
  form: shape,
  handle: async (visit, { form }) => {
    const claimUntil = readMoment(form.claimUntil, form.zone, visit.timeZone);
    const accessUntil = readMoment(form.accessUntil, form.zone, visit.timeZone);
    if (claimUntil.kind === 'problem') return formPage(visit, form, { claimUntil: claimUntil.problem }, 422);
    if (accessUntil.kind === 'problem') return formPage(visit, form, { accessUntil: accessUntil.problem }, 422);
    const made = await createLink(visit.context, visit.actor, {
      collection: form.collection,
      path: readPath(form.path),
      label: form.label,
      claimsAllowed: Number(form.people),
      claimUntilAt: claimUntil.kind === 'moment' ? claimUntil.at : null,
      accessUntilAt: accessUntil.kind === 'moment' ? accessUntil.at : null,
      notify: form.notify === 'yes',
      requestId: visit.origin.requestId || null,
    });
    switch (made.kind) {
      case 'created':
        return urlPage(visit, made.link, made.url, 'Your link is ready');
      case 'refused':
        return formPage(visit, form, problems[made.problem], 422);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return made satisfies never;
    }
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const newLinkPages: readonly PageRoute[] = [newLink, newLinkForm];

/** The page that shows a tokenized URL, once: after a link was made, and after it got a new URL. */
export function urlPage(visit: Visit, link: LinkView, url: string, title: string): PageAnswer {
  return visit.page({
    title,
    section: 'links',
    referrer: 'no-referrer',
    body: html`<p class="lead">Send this address to whoever you want to let in. It is shown only now: copy it before you leave this page.</p>
<p><code class="once">${url}</code></p>
<div class="note"><p>${
      link.claimsAllowed === 1
        ? 'The first person who opens it and signs in can come back at any time, on any device. Nobody else can use it then.'
        : `The first ${link.claimsAllowed} people who open it and sign in can come back at any time, on any device.`
    } You can take it back at any time.</p></div>
<h2>${link.label}</h2>${linkFacts(link)}
<p><a class="button plain" href="${visit.prefix}links/${link.id}">Go to this link</a></p>`,
  });
}

function formPage(visit: PersonVisit, fields: Fields, wrong: Problems, status: number): PageAnswer {
  const collections = choicesOf(visit);
  const { prefix } = visit;
  return visit.page({
    title: 'New link',
    section: 'links',
    status,
    width: 'narrow',
    body: html`${problemSummary(wrong)}
<form method="post" action="${prefix}links/new" novalidate>${visit.formToken()}${zoneField()}
${field({ name: 'label', label: 'What is it?', hint: 'Whoever opens the link reads this.', value: fields.label, autocomplete: 'off', maxLength: 120, problem: wrong.label })}
${whereField(collections, fields)}
${field({ name: 'path', label: 'Only a part of it', hint: 'A folder, a file, or its address. Empty: everything.', value: fields.path, autocomplete: 'off', isRequired: false, maxLength: 2000, problem: wrong.path })}
${field({ name: 'people', label: 'How many people may come in?', type: 'number', value: fields.people, autocomplete: 'off', maxLength: 5, problem: wrong.people })}
<details${fields.claimUntil + fields.accessUntil === '' && status === 200 ? null : html` open`}><summary>Dates and mails</summary>
${momentField({ name: 'claimUntil', label: 'New people until', hint: 'Empty: no end.', value: fields.claimUntil, problem: wrong.claimUntil, timeZone: visit.timeZone })}
${momentField({ name: 'accessUntil', label: 'Access until', hint: 'For everybody who came in. Empty: until you take it back.', value: fields.accessUntil, problem: wrong.accessUntil, timeZone: visit.timeZone })}
<div class="choice"><input type="checkbox" id="notify" name="notify" value="yes"${fields.notify === 'yes' ? html` checked` : null}><label for="notify">Send a mail, to me when somebody comes in and to them when their access begins or ends</label></div>
</details>
<button type="submit">Make the link</button></form>`,
  });
}

function whereField(collections: readonly CollectionConfig[], fields: Fields): Html {
  const [only, ...others] = collections;
  if (only !== undefined && others.length === 0) {
    return html`<input type="hidden" name="collection" value="${only.name}">
<p class="soft">It opens <strong>${only.name}</strong> (${only.host}${only.path}).</p>`;
  }
  const choices = collections.map(({ name, host, path }) => ({ value: name, label: `${name} (${host}${path})` }));
  return select({ name: 'collection', label: 'What does it open?', choices, value: fields.collection });
}

/** The collections that an account may make links to: all for an administrator, else its own. */
function choicesOf({ context, actor }: PersonVisit): readonly CollectionConfig[] {
  const config = context.config();
  return actor.role === 'admin' ? config.collections : collectionsOwnedBy(config, actor.email);
}
