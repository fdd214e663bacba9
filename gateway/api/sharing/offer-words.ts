// What is said of a key to the person that it is offered to, on the page of the message and on the one where they show that it is them.

import type { Offer } from '../../control/sharing/find-offer.ts';
import type { ShareView } from '../../control/sharing/share-view.ts';
import { type Html, html } from '../look/html.ts';
import { buttonForm, note } from '../portal/fields.ts';
import type { Visit } from '../serve/page-route.ts';
import { dotted, usesWords, windowWords } from './share-words.ts';

/** The key as a card, with the giver's own words under it. */
export function offerSheet({ context }: Pick<Visit, 'context'>, { share, picture }: Offer): Html {
  const { key, words, givenBy } = share;
  const window = windowWords(share, context.clock.epochSeconds());
  return html`<div class="sheet">${picture === null ? null : html`<img class="badge" src="${picture}" alt="">`}<h2>${key.name}</h2>
<p class="soft">${key.credential.name}, ${key.credential.issuer}</p>
<p>${dotted([window === null ? 'Yours until sharing stops' : html`Yours ${window}`, usesWords(share)])}</p></div>
${words === null ? null : note('plain', html`<span class="words">${words}</span><br><span class="soft">Words of ${givenBy ?? 'the sender'}</span>`)}`;
}

/** The answers to an offer, for whoever is signed in with its address. The form of the message's page has the same. */
export function offerButtons({ prefix, formToken }: Pick<Visit, 'prefix' | 'formToken'>, { id, key }: ShareView): Html {
  const button = (answer: string, text: string, kind: 'plain' | 'bad' | '') =>
    buttonForm({
      action: `${prefix}shares/${id}/${answer}`,
      formToken: formToken(),
      text,
      label: `${text}: ${key.name}`,
      kind,
    });
  return html`<div class="row">${button('ask', 'Ask for this key', '')}${button('decline', 'No, thanks', 'plain')}${button('block', 'Block the sender', 'bad')}</div>`;
}

/** What the giver, and those above, see of whoever takes the key. */
export function seenOfRecipient({ share }: Pick<Offer, 'share'>): Html {
  return html`<ul><li>that your address has the key, and since when</li><li>when it was last used</li><li>what you make of it to carry, such as a QR code</li>${
    share.depth === 0 ? null : html`<li>the same goes for those who shared it before</li>`
  }</ul>`;
}
