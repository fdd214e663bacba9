// Ends of a share: by whoever gave it, who takes the offer back, stops for a while and goes on, or stops for good; and by its holder, who gives the key
// back. What cannot be taken back asks once, on a page of its own. Pressed twice, or in two tabs, each says what holds.

import { z } from 'zod';
import { leaveShare } from '../../control/sharing/decline-share.ts';
import { endShare, type GiverEvent } from '../../control/sharing/end-share.ts';
import { readShare } from '../../control/sharing/list-shares.ts';
import type { ShareView } from '../../control/sharing/share-view.ts';
import type { Html } from '../look/html.ts';
import { defineForm, definePage, type PageRoute } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { originOf, question } from './forms.ts';
import { type Done, showShare, toShare } from './share-page.ts';
import { addressOf } from './share-words.ts';

const params = z.object({ share: id });

interface End {
  /** Last part of the path of the page that asks. */
  readonly ask: string;
  readonly event: 'withdraw' | 'revoke';
  /** States in which there is something to end. */
  readonly states: readonly ShareView['state'][];
  readonly title: (share: ShareView) => string;
  readonly loss: (share: ShareView) => Html | string;
  readonly yes: string;
  readonly no: string;
}

/** States in which the recipient has the key, or would if it were not stopped. */
const heldStates: readonly ShareView['state'][] = ['accepted', 'early', 'disabled'];

const ends: readonly End[] = [
  {
    ...{ ask: 'take-back', event: 'withdraw', states: ['pending', 'requested'] },
    title: (share) => `Take the offer for ${addressOf(share)} back?`,
    loss: (share) => `Nobody can ask for “${share.key.name}” by the mail any more. You can offer it again.`,
    ...{ yes: 'Take it back', no: 'Leave it' },
  },
  {
    ...{ ask: 'stop', event: 'revoke', states: heldStates },
    title: (share) => `Stop sharing with ${addressOf(share)}?`,
    loss: (share) =>
      `They lose “${share.key.name}” at once, and so does everybody they shared it with. This cannot be taken back; you can offer the key again. To stop only for some time, go back and choose “Stop for a while”.`,
    ...{ yes: 'Stop sharing', no: 'Keep sharing' },
  },
];

const askPages = ends.map(({ ask, event, states, title, loss, yes, no }) =>
  definePage({
    path: `shares/:share/${ask}`,
    who: 'account',
    params,
    handle: async (visit, input) => {
      const share = await readShare(visit.context, visit.actor, input.params.share);
      if (share === null || share.reader === 'recipient') return visit.errorPage(404);
      if (!states.includes(share.state)) return visit.redirect(`${visit.prefix}shares/${share.id}`);
      return question(visit, {
        ...{ title: title(share), loss: loss(share), section: 'keys', yes, no },
        ...{ action: `shares/${share.id}/${event}`, back: `shares/${share.id}` },
      });
    },
  }),
);

const said = {
  withdraw: 'withdrawn',
  revoke: 'revoked',
  disable: 'disabled',
  enable: 'enabled',
} as const satisfies Readonly<Record<GiverEvent, Done>>;

const events: readonly GiverEvent[] = ['withdraw', 'revoke', 'disable', 'enable'];

const endForms = events.map((event) =>
  defineForm({
    path: `shares/:share/${event}`,
    who: 'account',
    params,
    form: z.object({}),
    handle: async (visit, { params: { share: shareId } }) => {
      const outcome = await endShare(visit.context, visit.actor, { shareId, event, origin: originOf(visit) });
      switch (outcome.kind) {
        case 'done':
          return toShare(visit, shareId, said[event]);
        case 'wrong-state':
          return showShare(visit, shareId, { '': 'That does not fit how it stands by now, so nothing was done.' }, 409);
        case 'not-found':
          return visit.errorPage(404);
        default:
          return outcome satisfies never;
      }
    },
  }),
);

const giveBackPage = definePage({
  path: 'shares/:share/give-back',
  who: 'account',
  params,
  handle: async (visit, input) => {
    const share = await readShare(visit.context, visit.actor, input.params.share);
    if (share?.reader !== 'recipient') return visit.errorPage(404);
    if (!heldStates.includes(share.state)) return visit.redirect(`${visit.prefix}shares/${share.id}`);
    const giver = share.givenBy ?? 'whoever gave it';
    return question(visit, {
      ...{ title: `Give “${share.key.name}” back?`, section: 'keys', yes: 'Give it back', no: 'Keep it' },
      loss: `It opens nothing for you any more, nor for anybody you shared it with. If you want it again, ask ${giver}.`,
      ...{ action: `shares/${share.id}/leave`, back: `shares/${share.id}` },
    });
  },
});

const leaveForm = defineForm({
  path: 'shares/:share/leave',
  who: 'account',
  params,
  form: z.object({}),
  handle: async (visit, { params: { share: shareId } }) => {
    const outcome = await leaveShare(visit.context, visit.actor, { shareId, origin: originOf(visit) });
    switch (outcome.kind) {
      case 'done':
        return visit.redirect(`${visit.prefix}shares/got?done=left`);
      case 'wrong-state':
        return showShare(visit, shareId, { '': 'That does not fit how it stands by now, so nothing was done.' }, 409);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return outcome satisfies never;
    }
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const shareEndPages: readonly PageRoute[] = [...askPages, ...endForms, giveBackPage, leaveForm];
