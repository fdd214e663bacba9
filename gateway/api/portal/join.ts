// The pages to make an account and to ask for a new password. Both give the same answer for every address and go on by mail, so that they
// never tell whether an address has an account.

import { z } from 'zod';
import { registerAccount } from '../../control/accounts/register-account.ts';
import { requestPasswordReset } from '../../control/accounts/request-password-reset.ts';
import { html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { refusalText } from '../serve/refusal-words.ts';
import { address } from '../serve/shapes.ts';
import { field, type Problems, problemSummary } from './fields.ts';
import { carriedWay, openHandover } from './sign-in-flow.ts';

const addressForm = z.object({ email: address.default('') });

const register = definePage({
  path: 'register',
  who: 'anyone',
  handle: async (visit) => (isOpen(visit) ? registerPage(visit, '', {}, 200) : closed(visit)),
});

const registerForm = defineForm({
  path: 'register',
  who: 'anyone',
  form: addressForm,
  handle: async (visit, { form: { email } }) => {
    const { clientAddress, requestId } = visit.origin;
    const way = wayOfThisBrowser(visit);
    const outcome = await registerAccount(visit.context, { email, clientAddress, requestId, way });
    if (outcome.kind === 'accepted') return toYourMail(visit, email);
    switch (outcome.reason) {
      case 'closed':
        return closed(visit);
      case 'busy':
        return tooMany(visit, outcome.retryAfterSeconds, {
          asked: 'Many people asked for an account',
          otherwise: 'Were you invited? Open the invitation in your mail: that works right away.',
        });
      case 'bad-address':
        return registerPage(visit, email, { email: refusalText('bad-address') }, 422);
      case 'domain':
        return registerPage(visit, email, { email: `Accounts here are for addresses of ${domainsOf(visit)}.` }, 422);
      case 'weak-password':
        // no password is asked for on this page
        return registerPage(visit, email, {}, 422);
      default:
        return outcome satisfies never;
    }
  },
});

/** Where this browser's newest sign-in page was to lead. */
function wayOfThisBrowser(visit: Visit) {
  return carriedWay(visit, openHandover(visit, visit.jar.pending ?? undefined), undefined);
}

function isOpen(visit: Visit): boolean {
  return visit.context.config().accounts.registration === 'open';
}

function domainsOf(visit: Visit): string {
  return visit.context.config().accounts.domains.join(' or ');
}

function registerPage(visit: Visit, email: string, problems: Problems, status: number): PageAnswer {
  const domains = domainsOf(visit);
  return visit.page({
    title: 'Make an account',
    width: 'narrow',
    status,
    body: html`${problemSummary(problems)}
<p>We send a mail to your address. Open it to choose a password, and you are in.</p>
<form method="post" action="${visit.prefix}register" novalidate>
${visit.formToken()}
${field({
  name: 'email',
  label: 'Your mail address',
  type: 'email',
  value: email,
  autocomplete: 'email',
  problem: problems.email,
  ...(domains === '' ? {} : { hint: `An address of ${domains}.` }),
})}
<button type="submit">Send me the mail</button>
</form>
<p class="after">Have an account? <a href="${visit.prefix}login">Sign in</a></p>`,
  });
}

function closed(visit: Visit): PageAnswer {
  const owner = openHandover(visit, visit.jar.pending ?? undefined)?.about?.owner ?? null;
  const isByLink = visit.context.config().accounts.registration === 'by_link';
  return visit.errorPage(403, {
    title: isByLink ? 'You need a link' : 'You need an invitation',
    text: isByLink
      ? 'Whoever is sent a link can come in by it. Open yours, and type your mail address there.'
      : `Ask ${owner ?? 'whoever runs this place'} to have your address invited. The invitation comes by mail.`,
    door: { label: 'Back to sign in', path: `${visit.prefix}login` },
  });
}

const forgot = definePage({
  path: 'forgot',
  who: 'anyone',
  handle: async (visit) => forgotPage(visit, {}, 200),
});

const forgotForm = defineForm({
  path: 'forgot',
  who: 'anyone',
  form: addressForm,
  handle: async (visit, { form: { email } }) => {
    if (email.trim() === '') return forgotPage(visit, { email: 'Type your mail address.' }, 422);
    const { clientAddress, requestId } = visit.origin;
    const outcome = await requestPasswordReset(visit.context, {
      email,
      clientAddress,
      requestId,
      way: wayOfThisBrowser(visit),
    });
    if (outcome.kind === 'accepted') return toYourMail(visit, email);
    return tooMany(visit, outcome.retryAfterSeconds, {
      asked: 'Many people asked for a new password',
      otherwise: 'Did a mail come already? The newest one still works.',
    });
  },
});

function forgotPage(visit: Visit, problems: Problems, status: number): PageAnswer {
  return visit.page({
    title: 'Choose a new password',
    width: 'narrow',
    status,
    body: html`${problemSummary(problems)}
<p>Type your address, and we send you a mail with a link to choose a new password.</p>
<form method="post" action="${visit.prefix}forgot" novalidate>
${visit.formToken()}
${field({ name: 'email', label: 'Mail address', type: 'email', autocomplete: 'username', problem: problems.email })}
<button type="submit">Send me the mail</button>
</form>
<p class="after"><a href="${visit.prefix}login">Back to sign in</a></p>`,
  });
}

/** A page of its own, so that reloading it sends no second mail. */
function toYourMail(visit: Visit, email: string): PageAnswer {
  const { id } = visit.jar.begin({ mailedTo: email.trim().slice(0, 320) });
  return visit.redirect(`${visit.prefix}sent?flow=${id}`);
}

const sent = definePage({
  path: 'sent',
  who: 'anyone',
  query: z.object({ flow: z.string().max(40).optional() }),
  handle: async (visit, { query: { flow } }) => {
    const email = visit.jar.find(flow)?.mailedTo ?? 'your address';
    return visit.page({
      title: 'Look at your mail',
      width: 'narrow',
      body: html`<p>If <strong>${email}</strong> can be used here, a mail is on its way. Open the link in it to go on, in this browser or any other.</p>
<p class="soft">Nothing there after a few minutes? Look among unwanted mails, check the address for typing errors, and try again.</p>
<p><a class="button plain" href="${visit.prefix}login">Back to sign in</a></p>`,
    });
  },
});

function tooMany(
  visit: Visit,
  retryAfterSeconds: number,
  words: { readonly asked: string; readonly otherwise: string },
): PageAnswer {
  const wait = waitWords(retryAfterSeconds);
  const text = `${words.asked} from your network within an hour. Try again in ${wait}, or from another network. ${words.otherwise}`;
  return visit.errorPage(429, { text, retryAfterSeconds });
}

/** The pages of this file; `pages.ts` lists them. */
export const joinPages: readonly PageRoute[] = [register, registerForm, forgot, forgotForm, sent];
