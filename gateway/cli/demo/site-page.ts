// The frame of the pages that the demo's sites make themselves. What a site puts into a page came from requests and mails, so it is escaped.

/** One page. */
interface SitePage {
  /** Plain text; stands in the title and as the heading. */
  readonly heading: string;
  readonly title: string;
  /** Text of the style sheet; it stands in the page, since these sites serve no files. */
  readonly style: string;
  /** HTML below the heading. Whoever makes it escapes what it holds. */
  readonly body: string;
  /** Seconds after which the browser asks again; absent: never. */
  readonly refreshSeconds?: number;
}

/** Renders the page. */
export function renderSitePage({ heading, title, style, body, refreshSeconds }: SitePage): string {
  const refresh = refreshSeconds === undefined ? '' : `\n    <meta http-equiv="refresh" content="${refreshSeconds}">`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
    <title>${escapeText(title)}</title>
    <link rel="icon" href="data:,">
    <style>${style}</style>
  </head>
  <body>
    <main>
      <h1>${escapeText(heading)}</h1>
      ${body}
    </main>
  </body>
</html>
`;
}

/** Text for HTML, in content and in quoted attributes. */
export function escapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
