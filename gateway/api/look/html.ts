// HTML as values: `html` escapes every value that is put into its template, so a hostile name can never become markup.
// Values may stand only in text or in quoted attributes. Code that puts a value into an `href` must check first that the address is safe.

/** Finished markup, in which every value is escaped. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** Makes markup of text that is NOT escaped: for `html` below, and for literals. */
  static ofTrusted(markup: string): Html {
    return new Html(markup);
  }
}

/** A value that may stand in a template. Lists are joined; null, undefined and false produce no text. */
type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** `html\`<p>${name}</p>\``: the literal parts are markup, the values are text. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0] ?? '';
  values.forEach((value, index) => {
    markup += render(value) + (parts[index + 1] ?? '');
  });
  return Html.ofTrusted(markup);
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(render).join('');
  return escapeHtml(String(value));
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text so that it may stand between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}
