// Accessibility checks of a page, for people who cannot see it well, use a keyboard or hear it read out, as one expression to evaluate in a browser.
// It finds what a machine can find (WCAG 2.2: 1.3.1, 1.4.3, 2.4.6, 2.5.8, 3.3.2, 4.1.2); the rest is for the pictures and for people.
// A text, because the types of a browser's objects are not those of Node.

/** Evaluates to a list of sentences, empty for a good page. */
export const pageFaults = `(() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const about = (element) => element.outerHTML.replace(/\\s+/g, ' ').slice(0, 90);
  const isShown = (element) => element.checkVisibility() && element.getClientRects().length > 0;
  const need = (holds, element, what) => { if (!holds) faults.push(what + ': ' + about(element)); };

  need(document.documentElement.lang === 'en', document.documentElement, 'no language');
  if (all('main').length !== 1) faults.push('not one main');
  const ids = all('[id]').map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) faults.push('an id twice: ' + id);
  for (const name of ['aria-describedby', 'aria-labelledby']) {
    for (const element of all('[' + name + ']')) {
      for (const id of element.getAttribute(name).split(' ')) need(ids.includes(id), element, name + ' leads nowhere');
    }
  }
  for (const link of all('a[href^="#"]')) need(ids.includes(link.hash.slice(1)), link, 'a link that leads nowhere');

  let level = 0;
  for (const heading of all('h1, h2, h3, h4')) {
    const now = Number(heading.tagName[1]);
    need(now <= level + 1 || heading.closest('.note') !== null, heading, 'a heading skips a level');
    level = now;
  }

  for (const field of all('input:not([type=hidden]), select, textarea')) {
    if (field.getAttribute('aria-hidden') === 'true') continue;
    need(field.labels.length === 1, field, 'a field without a label');
    const isTyped = field.tagName === 'INPUT' && !['checkbox', 'radio'].includes(field.type);
    if (isTyped) need(field.hasAttribute('autocomplete'), field, 'a field that does not say what may be filled in');
    if (field.getAttribute('aria-invalid') === 'true') need(field.hasAttribute('aria-describedby'), field, 'a problem nobody hears');
  }
  for (const element of all('button, a[href], summary')) {
    const name = element.getAttribute('aria-label') ?? element.textContent;
    need(name.trim() !== '' || element.querySelector('img[alt]:not([alt=""])') !== null, element, 'nothing to read out');
    const isInText = element.tagName === 'A' && element.closest('p, li, td, dd, small') !== null;
    const { height } = element.getBoundingClientRect();
    if (isShown(element) && !isInText && !element.classList.contains('skip')) need(height >= 24, element, 'too small to tap');
  }
  const leads = 'main a[href]:not([href^="#"]), main form button:not([type=button]), nav a[href]';
  if (all(leads).filter(isShown).length === 0) faults.push('no way on from ' + document.title);
  for (const form of all('form')) need(form.querySelector('button:not([type=button])') !== null, form, 'a form without a submit');
  for (const image of all('img')) need(image.hasAttribute('alt'), image, 'a picture without a text');

  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]) => [red, green, blue]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const groundOf = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return numbers(getComputedStyle(document.documentElement).backgroundColor);
  };
  const texts = document.createTreeWalker(document.body, 4);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const { parentElement: element } = text;
    if (text.data.trim() === '' || !isShown(element) || ['STYLE', 'OPTION'].includes(element.tagName)) continue;
    const [one, other] = [luminance(numbers(getComputedStyle(element).color)), luminance(groundOf(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    need(contrast >= 4.5, element, 'contrast ' + contrast.toFixed(2));
  }
  return faults;
})()`;
