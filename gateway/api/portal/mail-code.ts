// Signing in by six digits of a mail: the request for them, and the page where they are typed. The page is the same whether the address has an
// account, gets one by the link that is being opened, or neither. What the digits count with stays in this browser's flow cookie, so digits
// that somebody is talked into telling work nowhere else. The long link of the same mail leads to a page of mail-codes.ts.

import { z } from 'zod';
import { requestMailCode } from '../../control/sessions/request-mail-code.ts';
import { signInByDigits } from '../../control/sessions/sign-in-by-mail.ts';
import { html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { refusalText } from '../serve/refusal-words.ts';
import { address } from '../serve/shapes.ts';
import { aboutNote } from './about-note.ts';
import { field, type Problems, problemSummary } from './fields.ts';
import { browserOf, finishSignIn, goOn } from './finish-sign-in.ts';
import { signInPage, waySearch } from './sign-in.ts';
import { carriedWay, openHandover } from './sign-in-flow.ts';

const query = z.object({
  handover: z.string().max(4096).optional(),
  return: z.string().max(4096).optional(),
});

const queryWithFlow = query.extend({ flow: z.string().max(40).optional() });

type Asked = z.infer<typeof queryWithFlow>;

const ask = defineForm({
  path: 'code',
  who: 'anyone',
  query,
  form: z.object({ email: address.default('') }),
  handle: async (visit, { query: asked, form: { email } }) => {
    if (email.trim() === '') return signInPage(visit, asked, email, { email: 'Type your mail address.' });
    const outcome = await requestMailCode(visit.context, {
      ...browserOf(visit),
      email,
      way: carriedWay(visit, openHandover(visit, asked.handover), asked.return),
    });
    switch (outcome.kind) {
      case 'accepted': {
        const { id } = visit.jar.begin({ code: outcome.request, mailedTo: email.trim().slice(0, 320) });
        return visit.redirect(`${visit.prefix}code${waySearch({ ...asked, flow: id })}`);
      }
      case 'refused':
        return signInPage(visit, asked, email, { email: refusalText(outcome.reason) });
      case 'busy': {
        const { retryAfterSeconds } = outcome;
        const text = `Many people asked for a code from your network within an hour. Try again in ${waitWords(retryAfterSeconds)}, or from another network. Did a mail come already? The newest one still works.`;
        return visit.errorPage(429, { text, retryAfterSeconds });
      }
      default:
        return outcome satisfies never;
    }
  },
});

const typePage = definePage({
  path: 'code',
  who: 'anyone',
  query: queryWithFlow,
  handle: async (visit, { query: asked }) => {
    if (visit.actor !== null) return goOn(visit, visit.actor, asked);
    return digitsPage(visit, asked, {}, 200);
  },
});

const check = defineForm({
  path: 'code/check',
  who: 'anyone',
  query: queryWithFlow,
  form: z.object({ digits: z.string().max(100).default('') }),
  handle: async (visit, { query: asked, form: { digits } }) => {
    let refused = false;
    // a person who asked twice may type either mail's digits into either tab: the code that does not work any more takes no try
    for (const { code } of visit.jar.findMailed(asked.flow)) {
      const outcome = await signInByDigits(visit.context, { ...browserOf(visit), request: code, digits });
      switch (outcome.kind) {
        case 'signed-in':
          for (const { id } of visit.jar.findMailed(asked.flow)) visit.jar.end(id);
          return finishSignIn(visit, outcome.session, { ...asked, way: outcome.way });
        case 'malformed':
          return digitsPage(visit, asked, { digits: 'The code has six digits, like 012345.' }, 422);
        case 'wrong':
          return digitsPage(visit, asked, { digits: wrongWords(outcome.triesLeft) }, 422);
        case 'too-many': {
          const text = `There were many tries from your network, so the code was not looked at. Wait ${waitWords(outcome.retryAfterSeconds)}, then try again.`;
          return digitsPage(visit, asked, { digits: text }, 429, outcome.retryAfterSeconds);
        }
        case 'refused':
          refused = true;
          break;
        default:
          return outcome satisfies never;
      }
    }
    if (!refused) return gone(visit, asked);
    const text = 'This code does not work, or not any more. Have a new one sent.';
    return digitsPage(visit, asked, { digits: text }, 410);
  },
});

function wrongWords(triesLeft: number): string {
  if (triesLeft === 0) return 'That is not the code, and it was the last try. Have a new one sent.';
  return `That is not the code of the newest mail. ${triesLeft === 1 ? 'One try is' : `${triesLeft} tries are`} left.`;
}

function digitsPage(
  visit: Visit,
  asked: Asked,
  problems: Problems,
  status: number,
  retryAfterSeconds?: number,
): PageAnswer {
  const { prefix, jar } = visit;
  const mailedTo = jar.find(asked.flow)?.mailedTo ?? null;
  if (mailedTo === null) return gone(visit, asked);
  const name = visit.context.config().portal?.name ?? 'latchkey';
  return visit.page({
    title: 'Look at your mail',
    width: 'narrow',
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    body: html`${problemSummary(problems)}
<p>If <strong>${mailedTo}</strong> can be used here, a mail with a code of six digits is on its way. It works for ten minutes.</p>
<form method="post" action="${prefix}code/check${waySearch(asked)}" novalidate>
${visit.formToken()}
${field({ name: 'digits', label: 'Code from the mail', autocomplete: 'one-time-code', isDigits: true, maxLength: 20, problem: problems.digits })}
<button type="submit">Go on</button>
</form>
${aboutNote(openHandover(visit, asked.handover), name)}
<details><summary>No mail came</summary>
<p>It can take a minute. Look among unwanted mails, and check the address for typing errors.</p>
<form method="post" action="${prefix}code${waySearch({ ...asked, flow: undefined })}">${visit.formToken()}<input type="hidden" name="email" value="${mailedTo}">
<button class="plain" type="submit">Send a new code</button></form></details>
<p class="after"><a href="${prefix}login${waySearch({ ...asked, flow: undefined })}">Use another address, or a password</a></p>`,
  });
}

/** The page for a code that this browser did not ask for, or too long ago. */
function gone(visit: Visit, asked: Asked): PageAnswer {
  return visit.errorPage(410, {
    title: 'Please have a new code sent',
    text: 'The code has to be typed in the browser that asked for it, within ten minutes. Or open the link in the mail: it works in any browser.',
    door: { label: 'Go to sign in', path: `${visit.prefix}login${waySearch({ ...asked, flow: undefined })}` },
  });
}

/** The pages of this file; `pages.ts` lists them. */
export const mailCodeSignInPages: readonly PageRoute[] = [ask, typePage, check];
