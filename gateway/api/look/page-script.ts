// The one script of the pages. Everything works without it; with it, times stand in the reader's own zone, and an address can be copied
// or shared with one tap. Pages allow this very text by its hash (Content-Security-Policy, CSP3 §6.7.2), and no other script.
// The script reads what the server wrote and sends nothing anywhere.

import { createHash } from 'node:crypto';

/**
 * What it does, by what stands in the page:
 * `<time datetime>` with a date and time in it: the same form in the reader's zone; each `<time>` gets the full moment as its title.
 * `<input data-moment>`: a date-time field whose value is that moment (ISO 8601), rewritten to the reader's zone unless it was edited.
 * `<input name="zone">`: hidden field that gets the reader's zone. `<span data-zone>`: beside a label, says "your time" then.
 * `<button hidden data-copy="id">` copies the text of that element and says so; `<button hidden data-share="id">` shares it as an address.
 */
export const pageScript = `(() => {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const two = (number) => String(number).padStart(2, '0');
  const clock = (at) => two(at.getHours()) + ':' + two(at.getMinutes());
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);

  each('time[datetime]', (time) => {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) return;
    if (/^\\d{1,2} [A-Z][a-z]{2} \\d{4}, \\d{2}:\\d{2}/.test(time.textContent))
      time.textContent = at.getDate() + ' ' + months[at.getMonth()] + ' ' + at.getFullYear() + ', ' + clock(at);
    time.title = at.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'long' });
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    each('input[type=hidden][name=zone]', (input) => { input.value = zone; });
    each('span[data-zone]', (label) => { label.textContent = '(your time)'; });
    each('input[data-moment]', (input) => {
      const at = new Date(input.dataset.moment);
      if (Number.isNaN(at.getTime()) || input.value !== input.defaultValue) return;
      input.value = at.getFullYear() + '-' + two(at.getMonth() + 1) + '-' + two(at.getDate()) + 'T' + clock(at);
    });
  }

  const offer = (name, act) => each('button[data-' + name + ']', (button) => {
    const source = document.getElementById(button.dataset[name]);
    if (source === null) return;
    const said = document.createElement('span');
    said.className = 'said';
    said.setAttribute('role', 'status');
    button.after(said);
    button.hidden = false;
    button.addEventListener('click', async () => {
      said.textContent = '';
      said.textContent = await act(source, source.textContent.trim());
    });
  });

  const select = (source) => {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  offer('copy', async (source, text) => {
    try {
      await navigator.clipboard.writeText(text);
      return 'Copied';
    } catch {
      // plain HTTP has no clipboard, and a person may have refused it
      select(source);
      return document.execCommand('copy') ? 'Copied' : 'Press Ctrl and C to copy it';
    }
  });
  if (navigator.share) offer('share', (source, url) => navigator.share({ url }).then(() => '', () => ''));
})();
`;

/** The source that a page's `script-src` allows: this script's hash, and thereby nothing else. */
export const pageScriptSource = `'sha256-${createHash('sha256').update(pageScript).digest('base64')}'`;
