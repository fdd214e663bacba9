// The form that offers a key to one address, or to each of a list of addresses. It answers in the same words for every address, whatever is known
// of it. The form carries a key of its own: sent twice, it makes one offer to each address, and leads to the same page.

import { z } from 'zod';
import { linkAddresses, maxAddresses } from '../../control/links/link-input.ts';
import { foreseeGiving, type Giving } from '../../control/sharing/foresee-giving.ts';
import { giveShare } from '../../control/sharing/give-share.ts';
import { readShare } from '../../control/sharing/list-shares.ts';
import type { ShareProblem } from '../../control/sharing/share-input.ts';
import { type Html, html } from '../look/html.ts';
import { moment, waitWords } from '../look/moments.ts';
import { field, momentField, note, type Problems, problemSummary, readMoment, zoneField } from '../portal/fields.ts';
import { addressesIn, wrongAddressWords } from '../portal/link-new.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { openText, sealText } from '../serve/sealed-text.ts';
import { id } from '../serve/shapes.ts';
import { formKey, newFormKey, originOf } from './forms.ts';
import { depthField, limitProblem, noMailWords, readUses } from './share-fields.ts';
import { givenCard } from './share-words.ts';

const shape = z.object({
  key: formKey.default(''),
  to: z.string().max(20_000).default(''),
  words: z.string().max(5000).default(''),
  from: z.string().max(40).default(''),
  until: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
  uses: z.string().max(20).default(''),
  depth: z.string().max(5).default('0'),
});

type Fields = z.infer<typeof shape>;

const params = z.object({ key: id });

const givePage = definePage({
  path: 'keys/:key/share',
  who: 'account',
  params,
  handle: async (visit, input) => {
    const giving = await foreseeGiving(visit.context, visit.actor, input.params.key);
    if (giving === null) return visit.errorPage(404);
    return showForm(visit, giving, shape.parse({ key: newFormKey(visit) }), {}, 200);
  },
});

const giveForm = defineForm({
  path: 'keys/:key/share',
  who: 'account',
  params,
  form: shape,
  handle: async (visit, { params: { key }, form }) => {
    const giving = await foreseeGiving(visit.context, visit.actor, key);
    if (giving === null) return visit.errorPage(404);
    const again = (wrong: Problems): PageAnswer => showForm(visit, giving, form, wrong, 422);
    const read = linkAddresses(addressesIn(form.to));
    if (read.kind === 'too-many') return again({ to: `At most ${maxAddresses} addresses at once, please.` });
    if (read.kind === 'wrong') return again({ to: wrongAddressWords(read.wrong) });
    if (read.addresses.length === 0) return again({ to: 'Say whom you want to share it with.' });
    const [from, until] = [form.from, form.until].map((text) => readMoment(text, form.zone, visit.timeZone));
    if (from?.kind === 'problem') return again({ from: from.problem });
    if (until?.kind === 'problem') return again({ until: until.problem });
    const asked = {
      ...{ keyId: key, words: form.words, usesAllowed: readUses(form.uses), reshareDepth: Number(form.depth) },
      usableFromAt: from?.kind === 'moment' ? from.at : null,
      usableUntilAt: until?.kind === 'moment' ? until.at : null,
      ...{ creationKey: form.key || undefined, origin: originOf(visit) },
    };
    return giveAll(visit, giving, form, asked, read.addresses);
  },
});

type Asked = Omit<Parameters<typeof giveShare>[2], 'email'>;

/** Offers the key to one address after the other. What is wrong with the form is wrong for the first address already. */
async function giveAll(
  visit: PersonVisit,
  giving: Giving,
  form: Fields,
  asked: Asked,
  addresses: readonly string[],
): Promise<PageAnswer> {
  const given: string[] = [];
  const standing: string[] = [];
  const yours: string[] = [];
  for (const [index, email] of addresses.entries()) {
    const outcome = await giveShare(visit.context, visit.actor, { ...asked, email });
    switch (outcome.kind) {
      case 'given':
      case 'made-before':
        given.push(outcome.share.id);
        break;
      case 'shared-already':
        standing.push(outcome.id);
        break;
      case 'yours-already':
        yours.push(email);
        break;
      case 'too-many': {
        // those that are left stand in the form again; its key keeps the others from being made twice
        const left = { ...form, to: addresses.slice(index).join('\n') };
        const wait = `That are many offers in a short time. Wait ${waitWords(outcome.retryAfterSeconds)}, then send the form again for ${left.to.includes('\n') ? 'these addresses' : 'this address'}.`;
        return showForm(visit, giving, left, { to: wait }, 429, index - yours.length - standing.length);
      }
      case 'refused':
        return showForm(visit, giving, form, problemsOf(outcome.problem, email), 422);
      case 'no-mail':
        return showForm(visit, giving, form, { '': noMailWords }, 409);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return outcome satisfies never;
    }
  }
  const [first, ...others] = given;
  if (first !== undefined && others.length + standing.length + yours.length === 0) {
    return visit.redirect(`${visit.prefix}shares/${first}?done=given`);
  }
  const result = sealText(visit.context, resultUse(visit), { given, standing, yours }, resultSeconds);
  return visit.redirect(`${visit.prefix}keys/${giving.key.id}/shared?result=${result}`);
}

function problemsOf(problem: ShareProblem, email: string): Problems {
  return problem === 'bad-address' ? { to: wrongAddressWords([email]) } : limitProblem(problem);
}

/** For how long the page with the outcome of a form can be loaded again, in seconds. */
const resultSeconds = 3600;

const resultShape = z.object({
  given: z.array(z.string()),
  standing: z.array(z.string()),
  yours: z.array(z.string()),
});

function resultUse({ actor }: PersonVisit) {
  return { use: 'share-result', binding: actor.sessionId } as const;
}

const resultPage = definePage({
  path: 'keys/:key/shared',
  who: 'account',
  params,
  query: z.object({ result: z.string().max(4096).optional() }),
  handle: async (visit, { params: { key }, query }) => {
    const { prefix, context, actor } = visit;
    const result = openText(context, resultUse(visit), query.result, resultShape);
    if (result === null) return visit.redirect(`${prefix}shares/given`);
    const read = async (ids: readonly string[]): Promise<Html[]> => {
      const shares = await Promise.all(ids.map((share) => readShare(context, actor, share)));
      return shares.flatMap((share) => (share === null ? [] : [givenCard(visit, share)]));
    };
    const [given, standing] = [await read(result.given), await read(result.standing)];
    return visit.page({
      title: offeredTitle(given.length),
      section: 'keys',
      body: html`${given.length === 0 ? note('plain', 'Nothing was sent.') : note('good', mailedWords)}
${given.length === 0 ? null : html`<h2 class="unseen">To whom</h2><ul class="items">${given}</ul>`}
${standing.length === 0 ? null : html`<h2>You shared it with them before</h2><ul class="items">${standing}</ul>`}
${result.yours.length === 0 ? null : note('plain', html`Nothing was sent to ${result.yours.join(', ')}: the key came from there.`)}
<p class="pages"><a class="button" href="${prefix}shares/given">All that I gave</a> <a class="button plain" href="${prefix}keys/${key}/share">Share it with somebody else</a></p>`,
    });
  },
});

function offeredTitle(count: number): string {
  if (count === 0) return 'Nobody new is offered the key';
  return count === 1 ? 'The key is offered' : `${count} people are offered the key`;
}

const mailedWords =
  'A mail is on its way to each of these addresses. Whoever reads it can ask for the key, and has it after they show that it is them.';

/** @param offered  to how many addresses the key was offered by this very form, where it stopped on the way */
function showForm(
  visit: PersonVisit,
  giving: Giving,
  form: Fields,
  wrong: Problems,
  status: number,
  offered = 0,
): PageAnswer {
  const { prefix, timeZone } = visit;
  const { key, mostDepth, untilAt, hasMail } = giving;
  const back = html`<p class="after"><a class="button plain" href="${prefix}keys/${key.id}">Back to the key</a></p>`;
  const title = `Share “${key.name}”`;
  if (!hasMail) {
    const body = html`${note('bad', noMailWords)}${back}`;
    return visit.page({ title, section: 'keys', width: 'narrow', status, body });
  }
  const untilHint =
    untilAt === null
      ? 'Empty: until you stop sharing.'
      : html`Empty: as long as you have it yourself, until ${moment(untilAt)}.`;
  const isDetailed = form.from + form.until + form.uses !== '' || status !== 200;
  return visit.page({
    title,
    section: 'keys',
    status,
    width: 'narrow',
    body: html`${problemSummary(wrong)}${offered === 0 ? null : note('good', `${offered} ${offered === 1 ? 'address was' : 'addresses were'} offered the key.`)}
<p class="lead">From your ${key.credential.name}, ${key.credential.issuer}.</p>
<form method="post" action="${prefix}keys/${key.id}/share" novalidate>${visit.formToken()}${zoneField()}<input type="hidden" name="key" value="${form.key}">
${area({ name: 'to', label: 'With whom?', hint: `Mail addresses, up to ${maxAddresses}, with commas or lines between them. Each person gets a mail, and has the key after they ask for it and show that it is them.`, value: form.to, problem: wrong.to, isAddresses: true })}
${area({ name: 'words', label: 'A word from you', hint: 'They read it on the page that shows the key, not in the mail. May be empty.', value: form.words, problem: wrong.words })}
<details${isDetailed ? html` open` : null}><summary>For how long, and how often</summary>
${momentField({ name: 'from', label: 'From', hint: 'Empty: at once.', value: form.from, problem: wrong.from, timeZone })}
${momentField({ name: 'until', label: 'Until', hint: untilHint, value: form.until, problem: wrong.until, timeZone })}
${field({ name: 'uses', label: 'How often may they open it?', hint: 'Empty: as often as they like. With a number they cannot share it on.', type: 'number', value: form.uses, autocomplete: 'off', isRequired: false, maxLength: 5, problem: wrong.uses })}
${depthField(mostDepth, Number(form.depth), wrong)}</details>
<button type="submit">Offer the key</button></form>${back}`,
  });
}

interface Area {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly problem: string | undefined;
  readonly isAddresses?: boolean;
}

function area({ name, label, hint, value, problem, isAddresses = false }: Area): Html {
  const described = `field-${name}-hint${problem === undefined ? '' : ` field-${name}-problem`}`;
  return html`<div class="field"><label for="field-${name}">${label}</label>
<p class="hint above" id="field-${name}-hint">${hint}</p>
${problem === undefined ? null : html`<p class="problem" id="field-${name}-problem">${problem}</p>`}
<textarea id="field-${name}" name="${name}" rows="3" autocomplete="off"${isAddresses ? html` autocapitalize="none" spellcheck="false"` : null} aria-describedby="${described}"${problem === undefined ? null : html` aria-invalid="true"`}>
${value}</textarea></div>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const giveKeyPages: readonly PageRoute[] = [givePage, giveForm, resultPage];
