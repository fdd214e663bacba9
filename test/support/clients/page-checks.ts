// Checks of every page for people who cannot see it or run no scripts, and that it holds the one script that its policy allows: language, title, one main heading, levels in order,
// labels, names of buttons and links, ids that are there once; and nothing that runs or comes from elsewhere.
// Works on the text that was sent. Rules: WCAG 2.2 1.1.1, 1.3.1, 2.4.2, 2.4.4, 3.1.1, 3.3.2, 4.1.2.

import { pageScript } from '../../../gateway/api/look/page-script.ts';
import { attributeOf } from './page-forms.ts';

/** @returns what is wrong, one line each; empty for a sound page */
export function pageProblems(sent: string): string[] {
  const own = `<script>${pageScript}</script>`;
  const page = sent.replace(own, '');
  const problems: string[] = [];
  const say = (isSound: boolean, problem: string): void => {
    if (!isSound) problems.push(problem);
  };
  say(sent.includes(own), 'not the script that the policy allows');
  say(page.startsWith('<!doctype html>\n<html lang="en">'), 'no document type or language');
  say(/<title>[^<]+ · [^<]+<\/title>/.test(page), 'no title that names page and place');
  say(/<meta name="viewport" content="width=device-width, initial-scale=1">/.test(page), 'no viewport');
  say((page.match(/<h1[\s>]/g) ?? []).length === 1, 'not one h1');
  say((page.match(/<main id="content"/g) ?? []).length === 1, 'not one main');
  say(/<header[\s>]/.test(page) && /<footer[\s>]/.test(page), 'no header or footer');
  say(page.includes('<a class="skip" href="#content">'), 'no link past the navigation');
  say(!/<script|<style|<iframe|<object|<embed|javascript:/i.test(page), 'something that runs, or a style of its own');
  say(!/<[^>]+\s(?:on[a-z]+|style)=/i.test(page.replace(/"[^"]*"/g, '""')), 'an attribute that runs or styles');
  // a link may lead to another host, and nothing else does
  const loaded = page.replace(/<a [^>]*>/g, '');
  say(!/(?:src|href|action)="(?:https?:)?\/\//.test(loaded), 'something from elsewhere');

  let level = 1;
  for (const [, digit = '1'] of page.matchAll(/<h([1-6])[\s>]/g)) {
    say(Number(digit) <= level + 1, `h${digit} after h${level}`);
    level = Number(digit);
  }
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id = '']) => id);
  for (const id of new Set(ids)) say(ids.filter((each) => each === id).length === 1, `id ${id} is there twice`);
  for (const [, reference = ''] of page.matchAll(/\s(?:aria-describedby|aria-labelledby)="([^"]*)"/g)) {
    for (const id of reference.split(' ')) say(ids.includes(id), `nothing has the id ${id}`);
  }
  const labelled = new Set([...page.matchAll(/<label for="([^"]*)">/g)].map(([, id]) => id));
  for (const [, tag = '', attributes = ''] of page.matchAll(/<(input|select|textarea)\b([^>]*)>/g)) {
    const isHidden = attributeOf(attributes, 'type') === 'hidden' || attributeOf(attributes, 'aria-hidden') === 'true';
    if (isHidden) continue;
    const id = attributeOf(attributes, 'id') ?? '';
    say(labelled.has(id), `${tag} ${attributeOf(attributes, 'name')} has no label`);
    const isText = tag === 'input' && !['checkbox', 'radio'].includes(attributeOf(attributes, 'type') ?? '');
    if (isText) say(attributeOf(attributes, 'autocomplete') !== null, `${id} says nothing about autocomplete`);
  }
  for (const [, tag = '', attributes = '', content = ''] of page.matchAll(
    /<(button|a|summary)\b([^>]*)>([\s\S]*?)<\/\1>/g,
  )) {
    const name = attributeOf(attributes, 'aria-label') ?? content.replace(/<[^>]*>/g, '').trim();
    say(name !== '', `a ${tag} has no name`);
  }
  for (const [, attributes = ''] of page.matchAll(/<img\b([^>]*)>/g)) {
    say(attributeOf(attributes, 'alt') !== null, 'a picture has no alternative text');
  }
  for (const [, attributes = '', content = ''] of page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
    const isPost = attributeOf(attributes, 'method') === 'post';
    if (isPost)
      say(content.includes('name="form_token"'), `the form ${attributeOf(attributes, 'action')} has no token`);
  }
  return problems;
}
