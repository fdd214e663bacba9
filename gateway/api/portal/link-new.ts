// The form that makes links: one for whoever gets its address, or one for each of some mail addresses, which latchkey mails.
// After it the browser is led to the link's page, with the address at the top, so that a reload makes nothing. The form carries a key of its
// own: sent twice, it makes its links once, and leads to them again.

import { z } from 'zod';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { createLink, defaultAccessEnd, listLinksOfForm, type MadeLink } from '../../control/links/create-link.ts';
import { type LinkProblem, maxAddresses } from '../../control/links/link-input.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import { type Html, html } from '../look/html.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { collectionName } from '../serve/shapes.ts';
import { field, momentField, note, type Problems, problemSummary, readMoment, select, zoneField } from './fields.ts';
import { doneOfMail, toAddress } from './link-address.ts';
import { readPath, stateTag } from './link-words.ts';

/** The key of one form, made with the page that shows it. */
const formKey = z
  .string()
  .max(40)
  .regex(/^[\w-]*$/);

const shape = z.object({
  key: formKey.default(''),
  to: z.string().max(20_000).default(''),
  bound: z.string().max(10).default(''),
  collection: collectionName.default(''),
  path: z.string().max(2500).default(''),
  label: z.string().max(1000).default(''),
  people: z.string().max(20).default('1'),
  claimUntil: z.string().max(40).default(''),
  accessUntil: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
  /** End of access by the configuration when the form was shown, in epoch seconds. A field that still says it means that default. */
  accessDefault: z.string().max(15).regex(/^\d*$/).default(''),
  notify: z.string().max(10).default(''),
});

type Fields = z.infer<typeof shape>;

/** The text for each problem, beside the field that it belongs to. */
const problems: Readonly<Record<Exclude<LinkProblem, 'bad-addresses'>, Problems>> = {
  'bad-path': { path: 'This has to lie in the collection. Leave it empty for all of it.' },
  'bad-label': { label: 'Give it a name of one line, up to 120 characters.' },
  'bad-claims': { people: 'A number from 1 to 10000, please.' },
  'bad-window': { accessUntil: 'These times have to lie in the future.' },
  'bad-methods': { '': 'That cannot be chosen.' },
  'too-many-addresses': { to: `At most ${maxAddresses} addresses at once. Make the others by a second form.` },
};

const newLink = definePage({
  path: 'links/new',
  who: 'account',
  handle: async (visit) => {
    const [first] = choicesOf(visit);
    if (first === undefined) return visit.errorPage(404);
    const end = defaultAccessEnd(visit.context, first, visit.context.clock.epochSeconds());
    // a field shows whole minutes
    const accessDefault = end === null ? '' : String(end - (end % 60));
    const fields = { collection: first.name, bound: 'yes', accessDefault };
    return formPage(visit, shape.parse({ ...fields, key: newKey(visit) }), {}, 200);
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
    const addresses = addressesIn(form.to);
    const accessUntilAt = accessUntil.kind === 'moment' ? accessUntil.at : null;
    const isDefaultEnd = accessUntilAt !== null && String(accessUntilAt) === form.accessDefault;
    const made = await createLink(visit.context, visit.actor, {
      collection: form.collection,
      path: readPath(form.path),
      label: form.label,
      addresses,
      isBound: form.bound === 'yes',
      // each of several people has a link of their own
      claimsAllowed: addresses.length === 0 ? Number(form.people) : 1,
      claimUntilAt: claimUntil.kind === 'moment' ? claimUntil.at : null,
      ...(isDefaultEnd ? {} : { accessUntilAt }),
      notify: form.notify === 'yes',
      ...(form.key === '' ? {} : { creationKey: form.key }),
      requestId: visit.origin.requestId || null,
    });
    switch (made.kind) {
      case 'created':
        return toMade(visit, form.key, made.made);
      case 'made-before':
        return toMadeBefore(visit, form.key, made.links);
      case 'refused':
        return formPage(visit, form, problemsOf(made.problem, made.wrong), 422);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return made satisfies never;
    }
  },
});

/** The links that one form made, for several people. */
const madeLinks = definePage({
  path: 'links/made',
  who: 'account',
  query: z.object({ form: formKey.min(1), unsent: z.string().max(2).optional() }),
  handle: async (visit, { query }) => {
    const links = await listLinksOfForm(visit.context, visit.actor, query.form);
    if (links.length === 0) return visit.errorPage(404);
    const unsent = Number(query.unsent ?? '0');
    return visit.page({
      title: `${links.length} links are ready`,
      section: 'links',
      body: html`${
        unsent > 0
          ? note(
              'bad',
              `${unsent === links.length ? 'No mail' : `${unsent} of the mails`} could be sent just now. Open a link to copy its address.`,
            )
          : note('good', 'A mail is on its way to each of these people.')
      }
<ul class="items">${links.map((link) => madeItem(visit, link))}</ul>
<p><a class="button" href="${visit.prefix}links">All my links</a></p>`,
    });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const newLinkPages: readonly PageRoute[] = [newLink, newLinkForm, madeLinks];

function newKey({ context }: PersonVisit): string {
  return context.random(16).toString('base64url');
}

/** What was typed in the field for addresses: one text for each, between commas, semicolons, lines or blanks. */
export function addressesIn(text: string): string[] {
  return text
    .split(/[,;\n\r]+/)
    .flatMap((part) => (part.includes('<') ? [part] : part.split(/\s+/)))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function toMade(visit: PersonVisit, key: string, made: readonly MadeLink[]): PageAnswer {
  const [first, ...others] = made;
  if (first !== undefined && others.length === 0) return toAddress(visit, first.link.id, doneOfMail(first.mail));
  const unsent = made.filter(({ mail }) => mail !== 'queued').length;
  return visit.redirect(`${visit.prefix}links/made?form=${key}${unsent === 0 ? '' : `&unsent=${unsent}`}`);
}

function toMadeBefore(visit: PersonVisit, key: string, links: readonly LinkView[]): PageAnswer {
  const [first, ...others] = links;
  if (first !== undefined && others.length === 0) return visit.redirect(`${visit.prefix}links/${first.id}`);
  return visit.redirect(`${visit.prefix}links/made?form=${key}`);
}

function madeItem({ prefix }: PersonVisit, link: LinkView): Html {
  return html`<li><div class="between"><h3><a href="${prefix}links/${link.id}">${link.forEmail ?? link.label}</a></h3>${stateTag(link)}</div></li>`;
}

function problemsOf(problem: LinkProblem, wrong: readonly string[]): Problems {
  return problem === 'bad-addresses' ? { to: wrongAddressWords(wrong) } : problems[problem];
}

/** The problem of a field with addresses. @param wrong  what was typed that is none */
export function wrongAddressWords(wrong: readonly string[]): string {
  // a text that was typed may be long, and a page names no more than can be read
  const named = wrong
    .slice(0, 10)
    .map((text) => `“${text.length > 80 ? `${text.slice(0, 79)}…` : text}” is no mail address.`);
  return `${named.join(' ')}${wrong.length > 10 ? ` And ${wrong.length - 10} more.` : ''}`;
}

function formPage(visit: PersonVisit, fields: Fields, wrong: Problems, status: number): PageAnswer {
  const collections = choicesOf(visit);
  const { prefix } = visit;
  const hasMail = visit.context.config().mail !== null;
  const isDetailed = status !== 200 || fields.accessDefault !== '';
  return visit.page({
    title: 'New link',
    section: 'links',
    status,
    width: 'narrow',
    body: html`${problemSummary(wrong)}
<form method="post" action="${prefix}links/new" novalidate>${visit.formToken()}${zoneField()}<input type="hidden" name="key" value="${fields.key}"><input type="hidden" name="accessDefault" value="${fields.accessDefault}">
${hasMail ? toWhom(fields, wrong) : null}
${field({ name: 'label', label: 'What is it?', hint: 'Whoever opens the link reads this.', value: fields.label, autocomplete: 'off', maxLength: 120, problem: wrong.label })}
${whereField(collections, fields)}
${field({ name: 'path', label: 'Only a part of it', hint: 'The name of a file or a folder in it, or its address. Empty: everything.', value: fields.path, autocomplete: 'off', isRequired: false, maxLength: 2000, problem: wrong.path })}
${field({ name: 'people', label: 'How many people may come in?', ...(hasMail ? { hint: 'For a link without addresses. With addresses each person gets their own.' } : {}), type: 'number', value: fields.people, autocomplete: 'off', maxLength: 5, problem: wrong.people })}
<details${isDetailed ? html` open` : null}><summary>Dates and mails</summary>
${momentField({ name: 'claimUntil', label: 'New people until', hint: 'Empty: no end.', value: fields.claimUntil, problem: wrong.claimUntil, timeZone: visit.timeZone })}
${momentField({ name: 'accessUntil', label: 'Access until', hint: 'For everybody who came in. Empty: until you stop sharing.', value: status === 200 && fields.accessDefault !== '' ? Number(fields.accessDefault) : fields.accessUntil, problem: wrong.accessUntil, timeZone: visit.timeZone })}
<div class="choice"><input type="checkbox" id="notify" name="notify" value="yes"${fields.notify === 'yes' ? html` checked` : null}><label for="notify">Send a mail, to me when somebody comes in and to them when their access begins or ends</label></div>
</details>
<button type="submit">Make the link</button></form>`,
  });
}

function toWhom(fields: Fields, { to: problem }: Problems): Html {
  const described = `field-to-hint${problem === undefined ? '' : ' field-to-problem'}`;
  return html`<div class="field"><label for="field-to">To whom?</label>
<p class="hint above" id="field-to-hint">Mail addresses, with commas or lines between them. Each person gets a link of their own by mail. Empty: you send the address yourself.</p>
${problem === undefined ? null : html`<p class="problem" id="field-to-problem">${problem}</p>`}
<textarea id="field-to" name="to" rows="3" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${described}"${problem === undefined ? null : html` aria-invalid="true"`}>
${fields.to}</textarea></div>
<div class="choice field"><input type="checkbox" id="bound" name="bound" value="yes"${fields.bound === 'yes' ? html` checked` : null}><label for="bound">Only these people may open it</label></div>`;
}

function whereField(collections: readonly CollectionConfig[], fields: Fields): Html {
  const [only, ...others] = collections;
  if (only !== undefined && others.length === 0) {
    return html`<input type="hidden" name="collection" value="${only.name}">
<p class="soft">It opens <strong>${only.title ?? only.name}</strong> (${only.host}${only.path}).</p>`;
  }
  const choices = collections.map(({ name, title, host, path }) => ({
    value: name,
    label: `${title ?? name} (${host}${path})`,
  }));
  return select({ name: 'collection', label: 'What does it open?', choices, value: fields.collection });
}

/** The collections that an account may make links to: all for an administrator, else its own. */
function choicesOf({ context, actor }: PersonVisit): readonly CollectionConfig[] {
  const config = context.config();
  return actor.role === 'admin' ? config.collections : collectionsOwnedBy(config, actor.email);
}
