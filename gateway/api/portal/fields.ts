// The pieces that forms are made of: a field with its label, hint and problem; the summary of all problems; a note; a form of one button.
// A problem stands beside its field and in the summary, which is first on the page and read out at once (WCAG 2.2, 3.3.1).

import type { EpochSeconds } from '../../core/model/time.ts';
import { isTimeZone, momentOfWallTime, wallClock } from '../../core/model/time-zone.ts';
import { type Html, html } from '../look/html.ts';

interface Field {
  readonly name: string;
  readonly label: string;
  /** Default `text`. */
  readonly type?: 'text' | 'email' | 'password' | 'number' | 'search';
  readonly value?: string | number;
  readonly hint?: string;
  /** What is wrong with the value, in a sentence for people. */
  readonly problem?: string | undefined;
  /** Value of HTML's `autocomplete` attribute. */
  readonly autocomplete: string;
  /** Default true. */
  readonly isRequired?: boolean;
  /** In characters. Default 320. */
  readonly maxLength?: number;
  /** A code of capitals and digits that somebody copies by eye: phones type capitals, and no spell checker changes it. */
  readonly isCode?: boolean;
  /** A code of digits: phones show their keypad for it, and offer it from the mail. */
  readonly isDigits?: boolean;
}

/** Problems of a form by the name of their field; the order is that of the page. */
export type Problems = Readonly<Record<string, string>>;

/** As `Problems`, but a problem may hold markup, such as a time. */
export type SaidProblems = Readonly<Record<string, string | Html>>;

/** One input with its label, hint and problem. */
export function field(input: Field): Html {
  const { name, label, hint, problem } = input;
  const id = `field-${name}`;
  const described = [hint === undefined ? '' : `${id}-hint`, problem === undefined ? '' : `${id}-problem`];
  const ids = described.filter((each) => each !== '').join(' ');
  return html`<div class="field">
<label for="${id}">${label}</label>
${hint === undefined ? null : html`<p class="hint above" id="${id}-hint">${hint}</p>`}
${problem === undefined ? null : html`<p class="problem" id="${id}-problem">${problem}</p>`}
<input id="${id}" name="${name}" type="${input.type ?? 'text'}" value="${input.value ?? ''}" autocomplete="${input.autocomplete}"
 maxlength="${input.maxLength ?? 320}"${ids === '' ? null : html` aria-describedby="${ids}"`}${
   problem === undefined ? null : html` aria-invalid="true"`
 }${input.isRequired === false ? null : html` required`}${
   input.type === 'email' || input.type === 'password' ? html` autocapitalize="none" spellcheck="false"` : null
 }${input.isCode === true ? html` autocapitalize="characters" spellcheck="false"` : null}${
   input.type === 'number' ? html` inputmode="numeric" min="1"` : null
 }${input.isDigits === true ? html` inputmode="numeric" spellcheck="false"` : null}>
</div>`;
}

interface MomentField {
  readonly name: string;
  readonly label: string;
  /** A moment that the server knows, or what somebody typed before. */
  readonly value: EpochSeconds | string | null;
  readonly hint?: string | Html;
  readonly problem?: string | undefined;
  /** Zone of the value where no script runs, which the label says: `visit.timeZone`. */
  readonly timeZone: string;
}

/**
 * A field for a date and time, which may stay empty. Its form needs one `zoneField()`. The page's script shows the value in the zone of the
 * browser and says so in the label.
 */
export function momentField({ name, label, value, hint, problem, timeZone }: MomentField): Html {
  const id = `field-${name}`;
  const ids = [hint === undefined ? '' : `${id}-hint`, problem === undefined ? '' : `${id}-problem`];
  const described = ids.filter((each) => each !== '').join(' ');
  const known = typeof value === 'number' ? html` data-moment="${new Date(value * 1000).toISOString()}"` : null;
  return html`<div class="field">
<label for="${id}">${label} <span data-zone>(${timeZone.replaceAll('_', ' ')})</span></label>
${hint === undefined ? null : html`<p class="hint above" id="${id}-hint">${hint}</p>`}
${problem === undefined ? null : html`<p class="problem" id="${id}-problem">${problem}</p>`}
<input id="${id}" name="${name}" type="datetime-local" value="${typeof value === 'number' ? wallText(value, timeZone) : (value ?? '')}"${known} autocomplete="off" maxlength="40"${
    described === '' ? null : html` aria-describedby="${described}"`
  }${problem === undefined ? null : html` aria-invalid="true"`}>
</div>`;
}

/** The hidden field by which a form says in which zone its dates and times are; without the page's script it stays empty. */
export function zoneField(): Html {
  return html`<input type="hidden" name="zone" value="">`;
}

/** What a date-time field says. `problem` is a sentence for people. */
type ReadMoment =
  | { readonly kind: 'none' }
  | { readonly kind: 'moment'; readonly at: EpochSeconds }
  | { readonly kind: 'problem'; readonly problem: string };

/**
 * Reads the value of a date-time field.
 *
 * @param text      value of the field, as sent; empty is `none`
 * @param zone      value of the form's `zone` field, as sent; empty where no script ran
 * @param timeZone  the zone that the label said then: `visit.timeZone`
 */
export function readMoment(text: string, zone: string, timeZone: string): ReadMoment {
  if (text.trim() === '') return { kind: 'none' };
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::\d{2}(?:\.\d{1,3})?)?$/.exec(text.trim());
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = (match ?? []).slice(1, 6).map(Number);
  const asDate = new Date(Date.UTC(year, month - 1, day, hour, minute));
  // 31 February is the third of March to Date, and a slip of the finger to people
  if (match === null || asDate.getUTCMonth() !== month - 1 || asDate.getUTCDate() !== day || hour > 23 || minute > 59) {
    return { kind: 'problem', problem: 'This is no date and time.' };
  }
  const named = zone === '' ? timeZone : zone;
  if (!isTimeZone(named)) return { kind: 'problem', problem: 'The time zone of your browser is not known here.' };
  return { kind: 'moment', at: momentOfWallTime({ year, month, day, hour, minute }, named) };
}

/** A moment as the value of a date-time field. */
function wallText(at: EpochSeconds, zone: string): string {
  const { year, month, day, hour, minute } = wallClock(zone)(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** Links to each field that has a problem; nothing without problems. */
export function problemSummary(problems: SaidProblems): Html | null {
  const all = Object.entries(problems);
  if (all.length === 0) return null;
  return html`<div class="note bad" role="alert" tabindex="-1">
<h2>Please look at this again</h2>
<ul>${all.map(([name, text]) => html`<li>${name === '' ? text : html`<a href="#field-${name}">${text}</a>`}</li>`)}</ul>
</div>`;
}

interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A list of choices with its label; `value` is the one chosen at first. */
export function select(input: {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly value: string;
  readonly problem?: string | undefined;
}): Html {
  const id = `field-${input.name}`;
  const { problem } = input;
  const options = input.choices.map(
    ({ value, label }) =>
      html`<option value="${value}"${value === input.value ? html` selected` : null}>${label}</option>`,
  );
  return html`<div class="field">
<label for="${id}">${input.label}</label>
${problem === undefined ? null : html`<p class="problem" id="${id}-problem">${problem}</p>`}
<select id="${id}" name="${input.name}"${problem === undefined ? null : html` aria-invalid="true" aria-describedby="${id}-problem"`}>${options}</select>
</div>`;
}

/** A box that says what was just done, or what to know before reading on. Screen readers read `good` out without moving the focus. */
export function note(kind: 'good' | 'plain' | 'bad', content: Html | string): Html {
  const role = kind === 'good' ? html` role="status"` : null;
  return html`<div class="note ${kind}"${role}><p>${content}</p></div>`;
}

/** A form of one button. `label` names the button in full for people who cannot see what stands around it. */
export function buttonForm(input: {
  readonly action: string;
  readonly formToken: Html;
  readonly text: string;
  readonly label?: string;
  readonly kind?: 'plain' | 'bad' | 'quiet' | '';
  readonly hidden?: Readonly<Record<string, string>>;
}): Html {
  const hidden = Object.entries(input.hidden ?? {}).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const label = input.label === undefined ? null : html` aria-label="${input.label}"`;
  return html`<form method="post" action="${input.action}">${input.formToken}${hidden}
<button type="submit" class="${input.kind ?? ''}"${label}>${input.text}</button>
</form>`;
}
