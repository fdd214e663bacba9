// The page where a recipient shows that it is them, after they asked for a key in this browser. The form is the message that gives the key: with the
// right password, or with the mailed digits and a new password, there is no further click. Whoever is signed in shows it again.

import { z } from 'zod';
import { acceptShare, type ShareAccepted } from '../../control/sharing/accept-share.ts';
import { readOffer } from '../../control/sharing/find-offer.ts';
import { type BrowserRequest, readBrowserRequest } from '../../control/sharing/read-request.ts';
import { requestShare } from '../../control/sharing/request-share.ts';
import { type Html, html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { passwordHint, passwordProblem } from '../look/password-words.ts';
import { field, note, type Problems, problemSummary } from '../portal/fields.ts';
import { browserOf, finishSignIn } from '../portal/finish-sign-in.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { id, secret } from '../serve/shapes.ts';
import { originOf } from './forms.ts';
import { offerSheet } from './offer-words.ts';
import { answerToAsk, over } from './open-share.ts';

const query = z.object({ share: id });

const acceptPage = definePage({
  path: 'shares/accept',
  who: 'anyone',
  query: query.partial(),
  handle: async (visit, { query: { share = '' } }) => {
    const found = await find(visit, share);
    return found === null ? await askAgain(visit, share) : show(visit, found, {}, 200);
  },
});

const acceptForm = defineForm({
  path: 'shares/accept',
  who: 'anyone',
  query: query.partial(),
  form: z.object({
    share: id.default(''),
    password: secret.default(''),
    digits: z.string().max(100).default(''),
    new_password: secret.default(''),
  }),
  handle: async (visit, { form }) => {
    const found = await find(visit, form.share);
    if (found === null) return askAgain(visit, form.share);
    const { password, digits, new_password: newPassword } = form;
    if (found.needs === 'ask-again' && !found.isUsed) return askAgain(visit, form.share);
    const isByDigits = digits !== '' || found.needs === 'digits';
    const proof = isByDigits
      ? ({ kind: 'digits', digits, newPassword } as const)
      : ({ kind: 'password', password } as const);
    const outcome = await acceptShare(visit.context, { ...browserOf(visit), request: found.request, proof });
    return await answerTo(visit, found, outcome);
  },
});

/** Has new digits mailed, for a request of their own. */
const codeForm = defineForm({
  path: 'shares/accept/code',
  who: 'anyone',
  form: z.object({ share: id.default('') }),
  handle: async (visit, { form: { share } }) => {
    const found = await find(visit, share);
    if (found === null) return askAgain(visit, share);
    const outcome = await requestShare(visit.context, {
      ...{ shareId: share, secret: null, actor: visit.actor, held: [found.request], wants: 'new' },
      origin: originOf(visit),
    });
    return answerToAsk(visit, outcome, found.request) ?? (await askAgain(visit, share));
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const acceptSharePages: readonly PageRoute[] = [acceptPage, acceptForm, codeForm];

async function find(visit: Visit, share: string): Promise<BrowserRequest | null> {
  return await readBrowserRequest(visit.context, visit.shareRequests.all, share, visit.actor);
}

async function answerTo(visit: Visit, found: BrowserRequest, outcome: ShareAccepted): Promise<PageAnswer> {
  const { prefix, context } = visit;
  switch (outcome.kind) {
    case 'accepted': {
      visit.shareRequests.drop(found.request, context.config().sharing.requestWindowSeconds);
      const path = `${prefix}shares/${outcome.shareId}`;
      if (outcome.session !== null) return await finishSignIn(visit, outcome.session, { return: path });
      return visit.redirect(path);
    }
    case 'no-request':
      return askAgain(visit, found.offer.share.id);
    case 'wrong-password':
      return show(visit, found, { password: 'That is not the password of this account.' }, 422);
    case 'malformed':
      return show(visit, found, { digits: 'The code has six digits, like 012345.' }, 422);
    case 'wrong-digits': {
      const { triesLeft } = outcome;
      if (triesLeft === 0) return show(visit, { ...found, needs: 'ask-again' }, {}, 422);
      const left = triesLeft === 1 ? 'One try is left.' : `${triesLeft} tries are left.`;
      return show(visit, found, { digits: `That is not the code of the newest mail. ${left}` }, 422);
    }
    case 'weak-password':
      return show(visit, found, { new_password: passwordProblem(outcome.why) }, 422);
    case 'busy': {
      const { retryAfterSeconds } = outcome;
      const text = `There were many tries, or a lot is going on, so nothing was looked at. Wait ${waitWords(retryAfterSeconds)}, then try again.`;
      const name = found.needs === 'digits' ? 'digits' : 'password';
      return show(visit, found, { [name]: text }, 429, retryAfterSeconds);
    }
    case 'refused':
      return refused(visit, found, outcome.reason);
    default:
      return outcome satisfies never;
  }
}

async function refused(
  visit: Visit,
  found: BrowserRequest,
  reason: Extract<ShareAccepted, { kind: 'refused' }>['reason'],
): Promise<PageAnswer> {
  const { share } = found.offer;
  switch (reason) {
    case 'over':
      return over(visit, share.state === 'pending' || share.state === 'requested' ? 'withdrawn' : share.state);
    case 'not-now':
    case 'second-factor':
      return answerToAsk(visit, { kind: reason }) ?? (await askAgain(visit, share.id));
    case 'not-able':
      return visit.errorPage(403, {
        title: 'This account is blocked',
        text: 'The account with this address cannot take keys. Ask whoever runs this place.',
      });
    case 'ask-again':
    case 'no-request':
      return show(visit, { ...found, needs: 'ask-again' }, {}, 410);
    default:
      return reason satisfies never;
  }
}

function show(
  visit: Visit,
  found: BrowserRequest,
  problems: Problems,
  status: number,
  retryAfterSeconds?: number,
): PageAnswer {
  const { prefix, actor } = visit;
  const { offer, needs } = found;
  const { share, email } = offer;
  if (found.isUsed && share.acceptedAt !== null) return visit.redirect(`${prefix}shares/${share.id}`);
  if (share.state !== 'pending' && share.state !== 'requested') return over(visit, share.state);
  // a mail may take as long as the request lasts
  visit.jar.lastFor(found.expiresAt - visit.context.clock.epochSeconds());
  const other =
    actor === null || actor.email === email
      ? null
      : note(
          'plain',
          html`You are signed in here as <strong>${actor.email}</strong>. That ends when you take the key.`,
        );
  return visit.page({
    title: 'Show that it is you',
    width: 'narrow',
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    body: html`${problemSummary(problems)}${offerSheet(visit, { ...offer, share: { ...share, words: null } })}${other}
${needs === 'ask-again' ? null : proofForm(visit, found, problems)}
${needs === 'password' ? html`<p class="after"><a href="${prefix}forgot">Forgot your password?</a> Choose a new one, then come back here or to the mail: the offer stays.</p>` : newCode(visit, found)}`,
  });
}

function proofForm(visit: Visit, { offer, needs }: BrowserRequest, problems: Problems): Html {
  const { email, share } = offer;
  return html`<form method="post" action="${visit.prefix}shares/accept?share=${share.id}" novalidate>
${visit.formToken()}<input type="hidden" name="share" value="${share.id}">
<input class="away" type="text" name="username" value="${email}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">
${
  needs === 'password'
    ? html`<p>The key is for <strong>${email}</strong>. Type the password of that account, and the key is yours.</p>
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', maxLength: 1024, problem: problems.password })}`
    : html`<p>A mail with a code of six digits is on its way to <strong>${email}</strong>. Type it here, and choose the password that you sign in with from now on.</p>
${field({ name: 'digits', label: 'Code from the mail', autocomplete: 'one-time-code', isDigits: true, maxLength: 20, problem: problems.digits })}
${field({ name: 'new_password', label: 'Choose a password', type: 'password', autocomplete: 'new-password', hint: passwordHint, maxLength: 1024, problem: problems.new_password })}`
}
<button type="submit">Take the key</button>
</form>`;
}

/** The way to another code: hidden away while the one that was mailed works. */
function newCode({ prefix, formToken }: Visit, { offer, needs }: BrowserRequest): Html {
  const form = html`<form method="post" action="${prefix}shares/accept/code">${formToken()}<input type="hidden" name="share" value="${offer.share.id}">
<button${needs === 'ask-again' ? null : html` class="plain"`} type="submit">Send a new code</button></form>`;
  if (needs === 'ask-again')
    return html`${note('bad', `The code does not work any more, or ${offer.email} has to show something else by now.`)}${form}`;
  return html`<details><summary>No mail came</summary>
<p>It can take a minute. Look among unwanted mails.</p>${form}</details>`;
}

/** For a browser without an open request for the share: the offer itself may still stand, or the key is there already. */
async function askAgain(visit: Visit, share: string): Promise<PageAnswer> {
  const { context, prefix, actor } = visit;
  const offer = actor === null ? null : await readOffer(context, { shareId: share, secret: null, actor });
  // the browser's way back after accepting
  if (offer?.isHeld === true) return visit.redirect(`${prefix}shares/${offer.share.id}`);
  return visit.errorPage(410, {
    title: 'Please ask for the key again',
    text: 'A request works for a quarter of an hour, and in the browser that asked. Open the mail about the key again, or sign in: the offer stays.',
    door: {
      label: 'See what was given to me',
      path: `${prefix}shares/${offer === null ? 'got' : offer.share.id}`,
    },
  });
}
