// HTML as values: `html` escapes everything that is put into it, so a hostile name can never become markup.
// Values stand in text or in quoted attributes only; whoever puts one into an address checks that address first.

/** Finished markup. Only `html` makes it. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** For `html` below; the parts in between were escaped. */
  static ofTrusted(markup: string): Html {
    return new Html(markup);
  }
}

/** What may stand in a template. Lists are joined; null, undefined and false leave nothing. */
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

/** Text as it may stand between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}
