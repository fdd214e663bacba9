// Answers an edge whether an account may open a path by ownership or by an access list, and which nodes a pass made from the answer
// hangs on. Reads only. The place of the log is read before the rows: a change that comes between the two has a later place, so
// the answer is forgotten again, and a pass made from it is refused.

import type { AccessAnswer, AccessClaims, SessionEnded } from '../../core/decision/state/access.ts';
import { scopesCovering } from '../../core/model/link.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import { findNextStart } from '../../store/sharing/share-chains.ts';
import type { AccessQuestion } from '../../wire/questions.ts';
import type { ControlContext } from '../context/control-context.ts';
import { findAccessReason } from './access-sources.ts';
import { collectionsCovering } from './collections.ts';
import { type LiveAccount, readSessionAccount } from './live-account.ts';
import { findLostAccess } from './lost-access.ts';

/** Nobody nests more collections than this number; the number bounds the answer. */
const maxCollections = 32;

/** @throws StoreAway */
export async function answerAccess(
  context: ControlContext,
  question: AccessQuestion,
): Promise<AccessAnswer | SessionEnded> {
  const { host, path } = question;
  const position = await context.store.readPosition();
  const collections = collectionsCovering(context.config(), host, path).slice(0, maxCollections);
  const subjects = [question.account, ...collections.map(({ name }) => collectionSubject(name))];
  const none: AccessAnswer = { kind: 'none', position, subjects };
  if (collections.length === 0) return none;

  const now = context.clock.epochSeconds();
  const read = await readSessionAccount(context.store.sql, question, now);
  // The end of one session must not be remembered as a no for its account, whose other sessions may live.
  if (read.kind === 'ended') return { kind: 'ended' };
  if (read.kind === 'not-usable') return none;
  const { account } = read;
  const place = { accountId: account.id, email: account.email, host, path, now, collections };
  const reason = await findAccessReason(context.store.sql, place, null);
  if (reason === null) {
    const scopes = scopesCovering(path);
    const names = collections.map(({ name }) => name);
    const asked = { accountId: account.id, host, scopes, collections: names, now };
    const lost = await findLostAccess(context.store.sql, context.config(), asked);
    const untilAt = await findNextStart(context.store.sql, asked);
    return { ...none, ...(lost === null ? {} : { lost }), ...(untilAt === null ? {} : { untilAt }) };
  }
  return {
    kind: 'granted',
    position,
    subjects: [...subjects, ...reason.nodes.filter((node) => !subjects.includes(node))],
    nodes: [account.id, ...reason.nodes],
    grant: reason.id,
    scope: { host, path: reason.path, methods: reason.methods, untilAt: reason.untilAt },
    claims: claimsOf(account),
  };
}

/** What sites are told of an account. */
export function claimsOf(account: LiveAccount): AccessClaims {
  return {
    sub: account.id,
    email: account.email,
    ...(account.displayName === '' ? {} : { name: account.displayName }),
    ...(account.groups.length === 0 ? {} : { groups: account.groups }),
  };
}
