// Messages and hints of the share commands for refusals, by the endpoint's reason.

import type { RefusalWords } from '../command/refusal-words.ts';

export const shareWords: RefusalWords = {
  unknown: { hint: 'latchkey share list, latchkey credential list' },
  'no-mail': { message: 'keys are shared by mail, and mail is not configured', hint: 'set mail and portal' },
  'bad-address': { message: 'that is no mail address', hint: 'such as mina@example.org' },
  'bad-window': {
    message: '--from and --until come in this order, and the end in the future',
    hint: 'write 7d or 12h from now, or 2026-07-01T18:00Z',
  },
  'bad-uses': { message: '--uses is a number from 1 to 10000', hint: 'leave it out for no limit' },
  'bad-depth': {
    message: '--reshare-depth is more than sharing.reshare_depth or the share above allows',
    hint: 'leave it out: then nobody shares it on',
  },
  'yours-already': { message: 'whoever has this address has the key already' },
  'shared-already': { hint: 'latchkey share list' },
  'wrong-state': { hint: 'latchkey share list shows what state it is in' },
};
