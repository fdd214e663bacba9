// Reads the forms out of a page of the portal, as a browser without scripts would send them, and where a page goes on to.
// Pages of ours only: it is no parser of HTML in general.

interface PageForm {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
}

/** Forms of a page and their hidden fields. */
export function formsOf(page: string): readonly PageForm[] {
  return [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', content = '']) => ({
    action: attributeOf(attributes, 'action') ?? '',
    hidden: Object.fromEntries(
      [...content.matchAll(/<input\b([^>]*)>/g)]
        .map(([, input = '']) => input)
        .filter((input) => attributeOf(input, 'type') === 'hidden')
        .map((input) => [attributeOf(input, 'name') ?? '', attributeOf(input, 'value') ?? '']),
    ),
  }));
}

/** Where a page goes on to by itself, as a browser without scripts reads it; null when it stays. */
export function onwardOf(page: string): string | null {
  const [, attributes] = /<meta http-equiv="refresh"([^>]*)>/.exec(page) ?? [];
  const content = attributes === undefined ? null : attributeOf(attributes, 'content');
  return content === null ? null : content.replace(/^0; url=/, '');
}

/** An attribute's value with its references resolved; null without it. */
export function attributeOf(attributes: string, name: string): string | null {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  if (value === undefined) return null;
  return value.replace(/&(amp|lt|gt|quot|#39);/g, (_whole, word: string) => characters[word] ?? '');
}

const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
