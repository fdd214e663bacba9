// Changes the keys of the store: adds a key, has a key sign, retires a key, exports a key for another server.
// Keys that YAML declares are changed in YAML only. A change is in force on every edge before it is answered.
// Rules: gateway/RULES.md "Keys".

import { Buffer } from 'node:buffer';
import { signingKeyNode } from '../../core/model/node-id.ts';
import type { SigningKeyPurpose, SigningKeyState } from '../../core/model/signing-key.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { isKeyId } from '../../core/token/jose-header.ts';
import { type AuditDetails, appendAudit, listKeyPromotions } from '../../store/rows/audit.ts';
import {
  insertSigningKey,
  listKeyIds,
  listSigningKeys,
  readKeyState,
  setSigningKeyState,
} from '../../store/rows/signing-keys.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { makeSigningKey } from './ring-in-force.ts';

/** A key as it is shown: never its secret. */
export interface SigningKeyView {
  readonly id: string;
  readonly algorithm: 'HS256';
  readonly purpose: SigningKeyPurpose;
  readonly state: SigningKeyState;
  /** Where the key is kept, and so who may change it. */
  readonly owner: 'yaml' | 'store';
  /** null for a key that YAML declares. */
  readonly createdAt: EpochSeconds | null;
}

export type SigningKeyRefusal = {
  readonly kind: 'refused';
  readonly reason: 'declared' | 'unknown' | 'only-signer' | 'bad-id' | 'exists' | 'in-use' | 'internal' | 'retired';
  /** When no token can hang on the key any more; for `in-use`. */
  readonly until?: EpochSeconds;
};

export type SigningKeyChanged = { readonly kind: 'changed'; readonly key: SigningKeyView } | SigningKeyRefusal;

/** All keys, declared keys first. @throws StoreAway */
export async function listRing(context: ControlContext): Promise<SigningKeyView[]> {
  const stored = await listSigningKeys(context.store.sql, context.sealing);
  return [
    ...context.config().commonKeys.map(
      ({ id, state }): SigningKeyView => ({
        id,
        algorithm: 'HS256',
        purpose: 'content',
        state,
        owner: 'yaml',
        createdAt: null,
      }),
    ),
    ...stored.map(
      ({ id, algorithm, purpose, state, createdAt }): SigningKeyView => ({
        ...{ id, algorithm, purpose, state, createdAt },
        owner: 'store',
      }),
    ),
  ];
}

/**
 * Makes a key that verifies only, so that every server can have the key before any server signs with it.
 *
 * @param input.id  the id that will stand in tokens; null to have latchkey choose one
 */
export async function addSigningKey(
  context: ControlContext,
  actor: Actor,
  input: { readonly purpose: SigningKeyPurpose; readonly id: string | null },
): Promise<SigningKeyChanged> {
  const declared = refuseDeclared(context, input.id, input.purpose);
  if (declared !== null) return declared;
  if (input.id !== null && !/^[A-Za-z0-9._-]{1,64}$/.test(input.id)) return { kind: 'refused', reason: 'bad-id' };
  const made = makeSigningKey(input.purpose, context);
  const key = { ...made, id: input.id ?? made.id, state: 'verifying' as const };
  if (!isKeyId(key.id)) return { kind: 'refused', reason: 'bad-id' };
  const { value } = await context.write(async (unit) => {
    const inserted = await insertSigningKey(unit, context.sealing, key);
    if (inserted.kind === 'inserted') await audit(unit, actor, 'key.generated', key.id, { purpose: key.purpose });
    return inserted.kind;
  });
  if (value === 'exists') return { kind: 'refused', reason: 'exists' };
  return readView(context, key.id);
}

/** Has a key sign; the key that signed before only verifies from now on. */
export async function promoteSigningKey(context: ControlContext, actor: Actor, id: string): Promise<SigningKeyChanged> {
  return changeState(context, actor, id, 'signing');
}

/**
 * Retires a key for good: it neither signs nor verifies any more. Running requests with one of its tokens end, like everything that hangs on a revoked node.
 *
 * @param input.force  retires the key even when tokens may still hang on it
 */
export async function retireSigningKey(
  context: ControlContext,
  actor: Actor,
  input: { readonly id: string; readonly force: boolean },
): Promise<SigningKeyChanged> {
  if (!input.force) {
    const until = await inUseUntil(context, input.id);
    if (until !== null) return { kind: 'refused', reason: 'in-use', until };
  }
  return changeState(context, actor, input.id, 'retired');
}

/** A content key's secret, for another server that holds it as well. Each export leaves its line in the audit log. */
export async function exportSigningKey(
  context: ControlContext,
  actor: Actor,
  id: string,
): Promise<{ readonly kind: 'exported'; readonly id: string; readonly secret: Buffer } | SigningKeyRefusal> {
  const declared = refuseDeclared(context, id, 'content');
  if (declared !== null) return declared;
  const key = (await listSigningKeys(context.store.sql, context.sealing)).find((candidate) => candidate.id === id);
  if (key === undefined) return { kind: 'refused', reason: 'unknown' };
  // The holder of an internal key can sign as latchkey.
  if (key.purpose === 'internal') return { kind: 'refused', reason: 'internal' };
  await context.write((unit) => audit(unit, actor, 'key.exported', id, {}));
  return { kind: 'exported', id, secret: Buffer.from(key.secret) };
}

async function changeState(
  context: ControlContext,
  actor: Actor,
  id: string,
  state: SigningKeyState,
): Promise<SigningKeyChanged> {
  const known = (await listSigningKeys(context.store.sql, context.sealing)).find((key) => key.id === id);
  const declared = refuseDeclared(context, id, known?.purpose ?? 'content');
  if (declared !== null) return declared;
  const { value } = await context.write(async (unit) => {
    const stored = await readKeyState(unit.sql, id);
    // A retired key may be in unknown hands; a new key is made in a moment.
    if (stored === 'retired' && state !== 'retired') return { kind: 'retired' } as const;
    const changed = await setSigningKeyState(unit, id, state);
    if (changed.kind === 'changed') {
      if (state === 'retired') {
        await unit.append({ kind: 'revoke', node: signingKeyNode(id) });
        await unit.append({ kind: 'outside', node: `kid:${id}` });
      }
      const action = state === 'retired' ? 'key.retired' : 'key.promoted';
      await audit(unit, actor, action, id, { from: changed.from, demoted: changed.demoted });
    }
    return changed;
  });
  switch (value.kind) {
    case 'unknown':
      return { kind: 'refused', reason: 'unknown' };
    case 'only-signer':
      return { kind: 'refused', reason: 'only-signer' };
    case 'retired':
      return { kind: 'refused', reason: 'retired' };
    case 'changed':
    case 'unchanged':
      return readView(context, id);
    default:
      return value satisfies never;
  }
}

/** YAML owns a key of its own, and all content keys once it declares some. */
function refuseDeclared(
  context: ControlContext,
  id: string | null,
  purpose: SigningKeyPurpose,
): SigningKeyRefusal | null {
  const { commonKeys } = context.config();
  const isDeclared = commonKeys.some((key) => key.id === id) || (purpose === 'content' && commonKeys.length > 0);
  return isDeclared ? { kind: 'refused', reason: 'declared' } : null;
}

/**
 * Until when a token of a key may hold, as far as this gateway knows: the longest life that a route takes, from when the key
 * signed last. null when nothing can hang on it any more.
 */
async function inUseUntil(context: ControlContext, id: string): Promise<EpochSeconds | null> {
  const { sql } = context.store;
  // any of the keys may have taken its place
  const promotions = await listKeyPromotions(sql, await listKeyIds(sql));
  const last = promotions.find(({ details }) => details.includes(JSON.stringify(id)));
  // a key that never signed here may sign elsewhere: then only the operator knows
  if (last === undefined) return null;
  const { routes, tokens } = context.config();
  const longest = Math.max(0, ...routes.map((route) => route.maxTokenTtlSeconds));
  const until = last.at + longest + tokens.clockSkewSeconds;
  return until > context.clock.epochSeconds() ? until : null;
}

async function readView(context: ControlContext, id: string): Promise<SigningKeyChanged> {
  const key = (await listRing(context)).find((view) => view.id === id);
  return key === undefined ? { kind: 'refused', reason: 'unknown' } : { kind: 'changed', key };
}

type AuditAction = Parameters<typeof appendAudit>[1]['action'];

async function audit(
  unit: Parameters<typeof appendAudit>[0],
  actor: Actor,
  action: AuditAction,
  subject: string,
  details: AuditDetails,
): Promise<void> {
  await appendAudit(unit, { actor: actorName(actor), action, subject, details, requestId: null });
}
