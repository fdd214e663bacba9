// The pages that mails lead to: confirm an address, accept an invitation, choose a new password, use a new address, sign in without a
// password. The first answer moves the code from the address into the flow cookie, so it does not stay in the history. Opening a page does
// not spend the code, so mail scanners and previews do not spend it either; only a POST from the page does.

import { z } from 'zod';
import { type DescribedCode, describeCode } from '../../control/accounts/describe-code.ts';
import { resetPassword } from '../../control/accounts/reset-password.ts';
import type { WrongCode } from '../../control/proof/one-time-code.ts';
import { confirmAddressChange } from '../../control/sessions/confirm-address-change.ts';
import { portalHost } from '../../control/sessions/session-hosts.ts';
import { signInByCode } from '../../control/sessions/sign-in-by-code.ts';
import { verifyAddress } from '../../control/sessions/verify-address.ts';
import type { PasswordRefusal } from '../../core/model/account.ts';
import { type Html, html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { passwordHint, passwordProblem } from '../look/password-words.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { code as codeShape, personName, secret } from '../serve/shapes.ts';
import { aboutNote } from './about-note.ts';
import { field, type Problems, problemSummary } from './fields.ts';
import { browserOf, finishSignIn, type SignInQuery } from './finish-sign-in.ts';
import { addressOfWay, openHandover } from './sign-in-flow.ts';

type Usable = Extract<DescribedCode, { readonly kind: 'usable' }>;

const formShape = z.object({
  password: secret.default(''),
  name: personName.default(''),
  handover: z.string().max(4096).default(''),
});

type Filled = z.infer<typeof formShape>;

/** What became of a code after the form was sent. `again`: the form once more, with its problems. `refused`: the code does not work. */
type Spent =
  | PageAnswer
  | { readonly kind: 'again'; readonly problems: Problems; readonly status: number }
  | { readonly kind: 'refused' };

interface CodePage {
  readonly path: string;
  readonly purpose: Usable['purpose'];
  readonly title: string;
  /** The fields and texts between the heading and the button. */
  readonly content: (visit: Visit, code: Usable, filled: Filled, problems: Problems) => Html;
  readonly button: string;
  /** Does what the code is for. */
  readonly spend: (visit: Visit, code: string, filled: Filled) => Promise<Spent>;
  /** Set on pages that sign in, or send to the sign-in: they go on to where this browser's newest sign-in page was to lead, and say so. */
  readonly goesOn?: true;
}

const query = z.object({ code: codeShape.optional(), flow: z.string().max(40).optional() });

function codePages(page: CodePage): PageRoute[] {
  const { path } = page;
  return [
    definePage({
      path,
      who: 'anyone',
      query,
      handle: async (visit, { query: { code, flow } }) => {
        if (code !== undefined) {
          const { id } = visit.jar.begin({ code });
          return visit.redirect(`${visit.prefix}${path}?flow=${id}`);
        }
        const kept = visit.jar.find(flow)?.code ?? null;
        return kept === null
          ? unusable(visit)
          : showCode(page, visit, kept, { password: '', name: '', handover: visit.jar.pending ?? '' }, {}, 200);
      },
    }),
    defineForm({
      path,
      who: 'anyone',
      query,
      form: formShape,
      handle: async (visit, { query: { flow }, form }) => {
        const code = visit.jar.find(flow)?.code ?? null;
        if (code === null || flow === undefined) return unusable(visit);
        const spent = await page.spend(visit, code, form);
        switch (spent.kind) {
          case 'again':
            return showCode(page, visit, code, form, spent.problems, spent.status);
          case 'refused':
            return unusable(visit);
          default:
            visit.jar.end(flow);
            return spent;
        }
      },
    }),
  ];
}

async function showCode(
  page: CodePage,
  visit: Visit,
  code: string,
  filled: Filled,
  problems: Problems,
  status: number,
): Promise<PageAnswer> {
  const described = await describeCode(visit.context, code);
  if (described.kind !== 'usable' || described.purpose !== page.purpose) return unusable(visit);
  const request = page.goesOn === true ? openHandover(visit, filled.handover) : null;
  const { way } = described;
  const going = request ?? (way?.host === portalHost(visit.context.config()) ? null : way);
  return visit.page({
    title: page.title,
    width: 'narrow',
    status,
    body: html`${problemSummary(problems)}
${aboutNote(going, visit.context.config().portal?.name ?? 'latchkey')}
<form method="post" action="${visit.target}" novalidate>
${visit.formToken()}
${request === null ? null : html`<input type="hidden" name="handover" value="${filled.handover}">`}
${page.content(visit, described, filled, problems)}
<button type="submit">${page.button}</button>
</form>`,
  });
}

/** Where the sign-in of this page leads: to the hand-over that the page told of, unless that has expired. */
function wayOf(visit: Visit, { handover }: Filled): SignInQuery {
  return openHandover(visit, handover) === null ? {} : { handover };
}

function unusable(visit: Visit): PageAnswer {
  return visit.errorPage(410, {
    title: 'This link from your mail does not work',
    text: 'It works once and for a limited time. Open the newest mail, or ask for a new one.',
    door: { label: 'Go to sign in', path: `${visit.prefix}login` },
  });
}

/** Shows the account's address. The hidden user name lets a browser save the new password under that address. */
function addressLine(email: string): Html {
  return html`<p>For <strong>${email}</strong></p>
<input class="away" type="text" name="username" value="${email}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">`;
}

function passwordField(problems: Problems): Html {
  return field({
    name: 'password',
    label: 'Choose a password',
    type: 'password',
    autocomplete: 'new-password',
    hint: passwordHint,
    maxLength: 1024,
    problem: problems.password,
  });
}

function nameField(value: string): Html {
  return field({
    name: 'name',
    label: 'Your name',
    value,
    hint: 'As others see it, if you like. You can leave it empty.',
    autocomplete: 'name',
    isRequired: false,
    maxLength: 100,
  });
}

function againFor(
  outcome:
    | WrongCode
    | { readonly kind: 'weak-password'; readonly why: PasswordRefusal }
    | { readonly kind: 'busy'; readonly retryAfterSeconds: number },
): Spent {
  // the page for codes that do not work is the same after many tries as after the first
  if (outcome.kind === 'refused' || outcome.kind === 'too-many') return { kind: 'refused' };
  if (outcome.kind === 'busy') {
    const text = `A lot is going on right now. Try again in ${waitWords(outcome.retryAfterSeconds)}.`;
    return { kind: 'again', status: 503, problems: { '': text } };
  }
  return { kind: 'again', status: 422, problems: { password: passwordProblem(outcome.why) } };
}

const verify: CodePage = {
  path: 'verify',
  purpose: 'verify-address',
  title: 'Confirm your address',
  content: (_visit, code, filled, problems) =>
    html`${addressLine(code.email)}${nameField(filled.name || code.displayName)}${passwordField(problems)}`,
  button: 'Finish and sign in',
  goesOn: true,
  spend: async (visit, code, filled) => {
    const { password, name } = filled;
    const outcome = await verifyAddress(visit.context, { ...browserOf(visit), code, password, displayName: name });
    if (outcome.kind === 'verified')
      return finishSignIn(visit, outcome.session, { ...wayOf(visit, filled), way: outcome.way });
    return againFor(outcome);
  },
};

const invitation: CodePage = {
  path: 'invitation',
  purpose: 'invitation',
  title: 'Welcome',
  content: (_visit, code, filled, problems) =>
    html`<p>You were invited. Choose a password, and you are in.</p>${addressLine(code.email)}${nameField(filled.name || code.displayName)}${passwordField(problems)}`,
  button: 'Accept and sign in',
  goesOn: true,
  spend: async (visit, code, filled) => {
    const { password, name } = filled;
    const outcome = await signInByCode(visit.context, { ...browserOf(visit), code, password, displayName: name });
    if (outcome.kind === 'signed-in') return finishSignIn(visit, outcome.session, wayOf(visit, filled));
    return againFor(outcome);
  },
};

const signInLink: CodePage = {
  path: 'sign-in',
  purpose: 'sign-in',
  title: 'Sign in',
  content: (_visit, code) =>
    html`<p>This signs you in as <strong>${code.email}</strong>, once, without a password.</p>`,
  button: 'Sign in',
  goesOn: true,
  spend: async (visit, code, filled) => {
    const outcome = await signInByCode(visit.context, { ...browserOf(visit), code });
    if (outcome.kind === 'signed-in') return finishSignIn(visit, outcome.session, wayOf(visit, filled));
    return againFor(outcome);
  },
};

/** The long link of a mail with six digits. It signs in the browser that opens it, whichever asked, and goes where the mail says. */
const enter: CodePage = {
  path: 'enter',
  purpose: 'mail-code',
  title: 'Sign in',
  content: (visit, code) =>
    html`<p>This signs you in as <strong>${code.email}</strong>, in this browser.${
      visit.actor === null || visit.actor.email === code.email
        ? null
        : html` You are signed in here as <strong>${visit.actor.email}</strong>, which ends.`
    }</p><p class="soft">Is that not your address, or did you not ask for this mail? Then close this page.</p>`,
  button: 'Go on',
  spend: async (visit, code) => {
    const outcome = await signInByCode(visit.context, { ...browserOf(visit), code });
    if (outcome.kind === 'signed-in') return finishSignIn(visit, outcome.session, { way: outcome.way ?? null });
    return againFor(outcome);
  },
};

const reset: CodePage = {
  path: 'reset',
  purpose: 'reset-password',
  title: 'Choose a new password',
  content: (_visit, code, _filled, problems) =>
    html`${addressLine(code.email)}${passwordField(problems)}<p class="soft">You will be signed out everywhere, and sign in with the new one.</p>`,
  button: 'Set this password',
  goesOn: true,
  spend: async (visit, code, filled) => {
    const { clientAddress, requestId } = visit.origin;
    const { password } = filled;
    const outcome = await resetPassword(visit.context, { code, password, clientAddress, requestId });
    if (outcome.kind !== 'reset') return againFor(outcome);
    const { handover } = wayOf(visit, filled);
    if (handover !== undefined) {
      return visit.redirect(`${visit.prefix}login?done=reset&handover=${encodeURIComponent(handover)}`);
    }
    // in another browser the way begins at its own page, which asks to sign in
    const onward = outcome.way === null ? null : addressOfWay(visit, outcome.way);
    return visit.redirect(onward ?? `${visit.prefix}login?done=reset`);
  },
};

const confirmAddress: CodePage = {
  path: 'confirm-address',
  purpose: 'change-address',
  title: 'Use this address from now on',
  content: (visit, code, _filled, problems) =>
    html`<p>From now on you sign in with <strong>${code.email}</strong>, and mails go there. You are signed out everywhere once.</p>
${visit.actor === null || problems.password !== undefined ? ownPasswordField(problems) : null}`,
  button: 'Use this address',
  spend: async (visit, code, { password }) => {
    const outcome = await confirmAddressChange(visit.context, {
      ...browserOf(visit),
      code,
      password,
      actor: visit.actor,
    });
    switch (outcome.kind) {
      case 'refused':
      case 'too-many':
      case 'busy':
        return againFor(outcome);
      case 'wrong-password':
        return {
          kind: 'again',
          status: 422,
          problems: { password: 'Enter the password of the account that asked for this.' },
        };
      case 'changed':
        visit.endSession();
        return visit.page({
          title: 'Your address is changed',
          width: 'narrow',
          body: html`<p>Sign in with your new address.</p><p><a class="button" href="${visit.prefix}login">Sign in</a></p>`,
        });
      default:
        return outcome satisfies never;
    }
  },
};

/** The field for the account's password: the mail alone must not be enough, and only the person who asked for the change knows it. */
function ownPasswordField(problems: Problems): Html {
  return field({
    name: 'password',
    label: 'Password of your account',
    type: 'password',
    autocomplete: 'current-password',
    maxLength: 1024,
    problem: problems.password,
  });
}

/** The pages of this file; `pages.ts` lists them. */
export const mailCodePages: readonly PageRoute[] = [
  verify,
  invitation,
  signInLink,
  enter,
  reset,
  confirmAddress,
].flatMap(codePages);
