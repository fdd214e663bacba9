// The pages to sign in and out, and both ends of a hand-over: on hosts other than the portal's, `login` begins it and `handover` ends it.
// A sign-in fails with the same words for every reason why address and password do not open an account.

import { z } from 'zod';
import { redeemHandover } from '../../control/sessions/hand-over.ts';
import { signOut } from '../../control/sessions/my-sessions.ts';
import { signIn } from '../../control/sessions/sign-in.ts';
import { type Html, html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { returnPathOf, soundReturnPath } from '../serve/return-address.ts';
import { address, code as codeShape, secret } from '../serve/shapes.ts';
import { aboutNote } from './about-note.ts';
import { field, note, type Problems, problemSummary } from './fields.ts';
import { browserOf, finishSignIn, goOn, type SignInQuery, tooLate } from './finish-sign-in.ts';
import { beginSignIn, continuationOf, openHandover } from './sign-in-flow.ts';

const query = z.object({
  handover: z.string().max(4096).optional(),
  return: z.string().max(4096).optional(),
  done: z.enum(['out', 'reset', 'deleted']).optional(),
});

type Query = z.infer<typeof query>;

const login = definePage({
  path: 'login',
  who: 'anyone',
  place: 'everywhere',
  query,
  handle: async (visit, { query: asked }) => {
    if (!visit.origin.isPortal) return beginSignIn(visit, { returnPath: returnPathOf(asked.return) });
    if (visit.actor !== null) return goOn(visit, visit.actor, asked);
    if (asked.handover !== undefined && openHandover(visit, asked.handover) === null) return tooLate(visit);
    return signInPage(visit, asked, '', {});
  },
});

const loginForm = defineForm({
  path: 'login',
  who: 'anyone',
  query,
  form: z.object({ email: address.default(''), password: secret.default('') }),
  handle: async (visit, { query: asked, form }) => {
    if (asked.handover !== undefined && openHandover(visit, asked.handover) === null) return tooLate(visit);
    if (form.email.trim() === '' || form.password === '') {
      return signInPage(visit, asked, form.email, {
        ...(form.email.trim() === '' ? { email: 'Type your mail address.' } : {}),
        ...(form.password === '' ? { password: 'Type your password.' } : {}),
      });
    }
    const outcome = await signIn(visit.context, { ...form, ...browserOf(visit) });
    switch (outcome.kind) {
      case 'signed-in':
        return finishSignIn(visit, outcome.session, asked);
      case 'refused':
        return signInPage(visit, asked, form.email, {
          '': 'That address and password do not fit together. Check both, or have a code mailed to you.',
        });
      case 'busy':
        return waitPage(visit, asked, form.email, outcome.retryAfterSeconds);
      default:
        return outcome satisfies never;
    }
  },
});

function waitPage(visit: Visit, asked: Query, email: string, seconds: number): PageAnswer {
  const answer = signInPage(visit, asked, email, {
    '': `There were many tries, so your password was not looked at. Wait ${waitWords(seconds)}, then try again.`,
  });
  if (answer.kind !== 'page') return answer;
  return { ...answer, status: 429, page: { ...answer.page, retryAfterSeconds: seconds } };
}

/**
 * The page to sign in: by password, or by a code that is mailed. A visitor who opens a link meets the code first, since most of them have no
 * password and need none. @param asked  where the sign-in leads
 */
export function signInPage(visit: Visit, asked: Query, email: string, problems: Problems): PageAnswer {
  const { context, prefix } = visit;
  const request = asked.handover === undefined ? null : openHandover(visit, asked.handover);
  const { portal, mail } = context.config();
  visit.jar.pending = asked.handover ?? null;
  const way = waySearch(asked);
  const hasProblems = Object.keys(problems).length > 0;
  const about = request?.about ?? null;
  const isCodeFirst = about !== null && mail !== null;
  return visit.page({
    title: 'Sign in',
    ...(about === null ? {} : { heading: about.label }),
    width: 'narrow',
    status: hasProblems ? 422 : 200,
    body: html`${problemSummary(problems)}
${asked.done === undefined ? null : note('good', doneWords[asked.done])}
${aboutNote(request, portal?.name ?? 'latchkey', about === null ? 'other' : 'label')}
<form method="post" action="${prefix}login${way}" novalidate>
${visit.formToken()}
${field({ name: 'email', label: isCodeFirst ? 'Your mail address' : 'Mail address', type: 'email', value: email, autocomplete: 'username', problem: problems.email, ...hintOf(visit, about) })}
${
  isCodeFirst
    ? html`<button type="submit" formaction="${prefix}code${way}">Mail me a code</button>
<details class="after"${problems.password === undefined && problems[''] === undefined ? null : html` open`}><summary>I have a password</summary>
${passwordField(problems)}<button class="plain" type="submit">Sign in</button>
<p class="after"><a href="${prefix}forgot">I do not know my password</a></p></details>`
    : html`${passwordField(problems)}<button type="submit">Sign in</button>
${mail === null ? null : html`<button class="plain" type="submit" formaction="${prefix}code${way}">Mail me a code instead</button>`}`
}
</form>
${isCodeFirst ? null : html`<p class="after"><a href="${prefix}forgot">I do not know my password</a></p>`}
${newHere(visit, about)}`,
  });
}

function passwordField(problems: Problems): Html {
  return field({
    name: 'password',
    label: 'Password',
    type: 'password',
    autocomplete: 'current-password',
    maxLength: 1024,
    problem: problems.password,
  });
}

type About = NonNullable<ReturnType<typeof openHandover>>['about'];

/** For a visitor who opens a link and has no account, where not every address gets one. */
function hintOf(visit: Visit, about: About): { hint?: string } {
  const { domains } = visit.context.config().accounts;
  return about === null || domains.length === 0 || !takesGuests(visit)
    ? {}
    : { hint: `If you are new here: an address of ${domains.join(' or ')}.` };
}

/** Whether a good link is enough to come in. */
function takesGuests(visit: Visit): boolean {
  const { accounts, mail } = visit.context.config();
  return mail !== null && accounts.registration !== 'invited';
}

/** What somebody without an account can do. */
function newHere(visit: Visit, about: About): Html {
  const { registration } = visit.context.config().accounts;
  if (about !== null && takesGuests(visit)) {
    return html`<p class="soft">New here? Your mail address is all you need: type the code from the mail, and you are in. You can choose a password later.</p>`;
  }
  if (about !== null) {
    const whom = about.owner ?? 'whoever sent you the link';
    return html`<p class="soft">New here? Ask <strong>${whom}</strong> to have your address invited. Then you can open this link.</p>`;
  }
  if (registration === 'open') return html`<p>New here? <a href="${visit.prefix}register">Make an account</a></p>`;
  return takesGuests(visit)
    ? html`<p class="soft">New here? Open the link that somebody sent you: it is all you need.</p>`
    : html`<p class="soft">New here? Ask whoever runs this place to invite you.</p>`;
}

const doneWords = {
  out: 'You are signed out in this browser.',
  reset: 'Your new password is set. Sign in with it.',
  deleted: 'Your account is deleted, and you are signed out everywhere.',
};

/** Query of an address: the sign-in's way on, taken from the page's own query. @param way.flow  of a code that was mailed */
export function waySearch(way: SignInQuery & { readonly flow?: string | undefined }): string {
  const search = new URLSearchParams();
  if (way.flow !== undefined) search.set('flow', way.flow);
  if (way.handover !== undefined) search.set('handover', way.handover);
  if (way.return !== undefined) search.set('return', way.return);
  return search.size === 0 ? '' : `?${search.toString()}`;
}

const handover = definePage({
  path: 'handover',
  who: 'anyone',
  place: 'everywhere',
  query: z.object({ code: codeShape, flow: z.string().max(40) }),
  handle: async (visit, { query: { code, flow: id } }) => {
    const flow = visit.jar.find(id);
    // only a GET spends the code: a program that looks ahead with HEAD must not use up the visitor's code
    if (flow === null || visit.method !== 'GET') return tooLate(visit);
    const redeemed = await redeemHandover(visit.context, { code, nonce: flow.nonce, host: visit.origin.host });
    if (redeemed.kind === 'refused') return tooLate(visit);
    visit.startSession(redeemed.token, redeemed.maxAgeSeconds);
    return visit.redirect(continuationOf(visit, id));
  },
});

/** `return` is there when the visitor signs out only to sign in with another account, and then go to that path. */
const leaving = z.object({ return: z.string().max(8192).optional() });

const logout = definePage({
  path: 'logout',
  who: 'anyone',
  place: 'everywhere',
  query: leaving,
  handle: async (visit, { query: { return: back } }) => {
    const way = soundReturnPath(back);
    const { actor, prefix } = visit;
    if (actor === null) return way === null ? signedOut(visit) : visit.redirect(signInFor(prefix, way));
    const target = way === null ? `${prefix}logout` : `${prefix}logout?return=${encodeURIComponent(way)}`;
    return visit.page({
      title: way === null ? 'Sign out' : 'Use another account',
      width: 'narrow',
      body: html`<p>You are signed in as <strong>${actor.email}</strong>. Signing out counts for this browser, on all pages of this place.${
        way === null ? null : ' Then you can sign in with another account.'
      }</p>
<form method="post" action="${target}">${visit.formToken()}<button type="submit">Sign out</button></form>${
        way === null ? null : html`<p class="after"><a class="button plain" href="${way}">Back</a></p>`
      }`,
    });
  },
});

function signInFor(prefix: string, way: string): string {
  return `${prefix}login?return=${encodeURIComponent(way)}`;
}

const logoutForm = defineForm({
  path: 'logout',
  who: 'anyone',
  place: 'everywhere',
  query: leaving,
  form: z.object({}),
  handle: async (visit, { query: { return: back } }) => {
    if (visit.actor !== null) await signOut(visit.context, visit.actor);
    visit.endSession();
    const way = soundReturnPath(back);
    if (way !== null) return visit.redirect(signInFor(visit.prefix, way));
    return visit.origin.isPortal
      ? visit.redirect(`${visit.prefix}login?done=out`)
      : visit.redirect(`${visit.prefix}logout`);
  },
});

function signedOut(visit: Visit): PageAnswer {
  return visit.page({
    title: 'You are signed out',
    width: 'narrow',
    body: html`<p>Nobody is signed in here in this browser.</p>
<p><a class="button" href="${visit.prefix}login">Sign in</a></p>`,
  });
}

/** The pages of this file; `pages.ts` lists them. */
export const signInPages: readonly PageRoute[] = [login, loginForm, handover, logout, logoutForm];
