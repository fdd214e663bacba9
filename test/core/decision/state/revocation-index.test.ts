// Which tokens a revocation ends, and which it leaves alone. gateway/RULES.md "One graph of revocation".

import { describe, expect, it } from 'vitest';
import { outsideLifeSeconds, RevocationIndex } from '../../../../gateway/core/decision/state/revocation-index.ts';
import { type Change, type ChangeKind, passwordPasses } from '../../../../gateway/core/model/change.ts';
import { mintToken, type VerifiedToken, verifyToken } from '../../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../../gateway/core/token/key-ring.ts';
import type { TokenType } from '../../../../gateway/core/token/token-kinds.ts';
import { exp, record } from '../../token/signed-token.ts';

const at = 1_700_000_000;
const ring = buildKeyRing([record('k1'), record('inner', { purpose: 'internal' })]);

function verified(claims: object, type: TokenType = 'pass'): VerifiedToken {
  const key = ring.find(type === 'session' ? 'inner' : 'k1');
  if (key === undefined) throw new Error('no key');
  const result = verifyToken(mintToken({ exp, ...claims }, { key, type }), ring);
  if (result.kind === 'refused') throw new Error(result.detail);
  return result;
}

function change(seq: number, node: string, kind: ChangeKind = 'revoke'): Change {
  return { seq, kind, node, at };
}

/** An index at place 100 of epoch `e`, with these revocations. */
function indexOf(...revocations: Change[]): RevocationIndex {
  const index = new RevocationIndex();
  index.setSkew(5);
  index.replace({ epoch: 'e', seq: 100 }, revocations);
  return index;
}

describe('a token that latchkey made', () => {
  const rows: readonly (readonly [
    title: string,
    claims: object,
    revocations: readonly Change[],
    isRevoked: boolean,
  ])[] = [
    ['hangs on nothing that was revoked', { n: ['ac_1', 'li_1'], v: ['e', 10] }, [change(50, 'ac_2')], false],
    ['hangs on a node revoked after it was minted', { n: ['ac_1', 'li_1'], v: ['e', 10] }, [change(11, 'li_1')], true],
    ['was minted at the very place of the revocation', { n: ['li_1'], v: ['e', 11] }, [change(11, 'li_1')], false],
    ['was minted after its node was granted again', { n: ['li_1'], v: ['e', 12] }, [change(11, 'li_1')], false],
    [
      'was minted by an edge that lagged behind, after the revocation by the clock',
      { n: ['me_1'], v: ['e', 10], iat: at + 100 },
      [change(11, 'me_1')],
      true,
    ],
    ['is of another epoch', { n: ['ac_1'], v: ['before', 10] }, [], true],
    ['is of another epoch and hangs on nothing', { n: [], v: ['before', 10] }, [], true],
    [
      'was given for a password by a gateway with another store',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['theirs', 10] },
      [change(50, 'ac_1')],
      false,
    ],
    [
      'was given for a password elsewhere, and its subject was revoked like that of others',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['theirs', 10], iat: at - 10 },
      [change(50, 'sub:u', 'outside')],
      true,
    ],
    [
      'was given for a password before a restore, here or elsewhere',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['before', 10], iat: at - 10 },
      [change(50, passwordPasses, 'outside')],
      true,
    ],
    [
      'was given for a password before a restore, when no log was known',
      { sub: 'u', cred: { id: 'c1', v: 1 }, iat: at - 10 },
      [change(50, passwordPasses, 'outside')],
      true,
    ],
    [
      'was given for a password after a restore, by a gateway with another store',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['theirs', 10], iat: at + 10 },
      [change(50, passwordPasses, 'outside')],
      false,
    ],
    [
      'was given for a password here, in the second of the restore',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['e', 60], iat: at },
      [change(50, passwordPasses, 'outside')],
      false,
    ],
    [
      'was given for a password here, and the record went',
      { sub: 'u', cred: { id: 'c1', v: 1 }, n: ['cr_c1'], v: ['e', 10] },
      [change(50, 'cr_c1')],
      true,
    ],
    ['is ahead of the index', { n: ['ac_1'], v: ['e', 500] }, [change(50, 'ac_1')], false],
    ['was made with a key that was revoked since', { n: [], v: ['e', 10] }, [change(11, 'ky_k1')], true],
    ['was made with another key', { n: [], v: ['e', 10] }, [change(11, 'ky_k2')], false],
    ...(['jti:j', 'sub:ac_1', 'kid:k1'] as const).flatMap((node) => [
      [
        `is one of those that were revoked by ${node.slice(0, 3)}, whatever nodes and place it names`,
        { jti: 'j', sub: 'ac_1', grant: 'me_1', n: ['li_1'], v: ['e', 99], iat: at - 1 } as object,
        [change(50, node, 'outside')] as readonly Change[],
        true as boolean,
      ] as const,
      [
        `was made after what was revoked by ${node.slice(0, 3)}`,
        { jti: 'j', sub: 'ac_1', grant: 'me_1', n: ['li_1'], v: ['e', 99], iat: at + 6 },
        [change(50, node, 'outside')],
        false,
      ] as const,
    ]),
    [
      'names a membership that its n leaves out',
      { grant: 'me_1', n: ['li_1'], v: ['e', 10] },
      [change(11, 'me_1')],
      true,
    ],
    ['names a session that its n leaves out', { sid: 'se_1', n: ['li_1'], v: ['e', 10] }, [change(11, 'se_1')], true],
    ['names an account that its n leaves out', { sub: 'ac_1', n: ['li_1'], v: ['e', 10] }, [change(11, 'ac_1')], true],
    [
      'names a record that its n leaves out',
      { cred: { id: 'c1', v: 1 }, n: ['li_1'], v: ['e', 10] },
      [change(11, 'cr_c1')],
      true,
    ],
    [
      'was given for a password when no log was known, and its record went since',
      { sub: 'u', cred: { id: 'c1', v: 1 }, iat: at - 10 },
      [change(50, 'cr_c1')],
      true,
    ],
    [
      'has a node in the list that was only touched',
      { n: ['ac_1'], v: ['e', 10] },
      [change(11, 'ac_1', 'touch')],
      false,
    ],
  ];

  it.each(rows)('%s', (_title, claims, revocations, isRevoked) => {
    expect(indexOf(...revocations).isRevoked(verified(claims))).toBe(isRevoked);
  });

  it.each([
    ['ahead of what is known', { n: ['ac_1'], v: ['e', 104] }, 'pass', 4],
    ['at what is known', { n: ['ac_1'], v: ['e', 100] }, 'pass', 0],
    ['behind', { n: ['ac_1'], v: ['e', 3] }, 'pass', 0],
    ['of another epoch', { n: ['ac_1'], v: ['f', 500] }, 'pass', 0],
    ['without a place', { sub: 'u' }, 'pass', 0],
    ['a session, whose key never leaves', { sub: 'ac_1', n: ['ac_1'], v: ['e', 104] }, 'session', 0],
  ] as const)('knows how far ahead it is: %s', (_title, claims, type, places) => {
    expect(indexOf().placesAhead(verified(claims, type))).toBe(places);
    expect(new RevocationIndex().placesAhead(verified(claims, type))).toBe(0);
  });

  it('for a session ends with the session', () => {
    const session = verified({ sub: 'ac_1', aud: 'h', n: ['ac_1', 'se_1', 'dv_1'], v: ['e', 10] }, 'session');
    expect(indexOf(change(11, 'se_1')).isRevoked(session)).toBe(true);
    expect(indexOf(change(11, 'se_2')).isRevoked(session)).toBe(false);
  });
});

describe('an outside token', () => {
  const rows: readonly (readonly [title: string, claims: object, node: string, isRevoked: boolean])[] = [
    ['of a revoked jti, made before', { jti: 'j1', iat: at - 1 }, 'jti:j1', true],
    ['of a revoked jti, made in its very second', { jti: 'j1', iat: at }, 'jti:j1', true],
    ['of a revoked jti, made within the skew after it', { jti: 'j1', iat: at + 5 }, 'jti:j1', true],
    ['of a revoked jti, made later', { jti: 'j1', iat: at + 6 }, 'jti:j1', false],
    ['of a revoked jti, that does not say when it was made', { jti: 'j1' }, 'jti:j1', true],
    ['of another jti', { jti: 'j2' }, 'jti:j1', false],
    ['of a revoked sub', { sub: 'u1', iat: at - 1 }, 'sub:u1', true],
    ['of a sub that is a revoked jti', { sub: 'j1' }, 'jti:j1', false],
    ['of a revoked key id', { iat: at - 1 }, 'kid:k1', true],
    ['of a revoked key id, made later', { iat: at + 6 }, 'kid:k1', false],
    ['that claims to hang on nothing of ours', { jti: 'j1', iat: at, n: [], v: ['e', 1000] }, 'jti:j1', true],
  ];

  it.each(rows)('%s', (_title, claims, node, isRevoked) => {
    expect(indexOf(change(50, node, 'outside')).isRevoked(verified(claims, 'outside'))).toBe(isRevoked);
  });

  it('is judged by the skew of the present configuration', () => {
    const index = indexOf(change(50, 'sub:u', 'outside'));
    const token = verified({ sub: 'u', iat: at + 6 }, 'outside');
    expect(index.isRevoked(token)).toBe(false);
    index.setSkew(30);
    expect(index.isRevoked(token)).toBe(true);
  });

  it('is left alone by revocations of nodes', () => {
    expect(indexOf(change(50, 'ac_1')).isRevoked(verified({ sub: 'ac_1' }, 'outside'))).toBe(false);
  });
});

describe('the index', () => {
  const token = () => verified({ n: ['ac_1'], v: ['e', 100] });

  it('ends nothing before it was loaded', () => {
    const index = new RevocationIndex();
    expect(index.position).toBeNull();
    expect(index.isRevoked(token())).toBe(false);
    expect(index.apply({ epoch: 'e', seq: 1 }, [change(1, 'ac_1')])).toBe('gap');
  });

  it('judges a token again after each batch that revokes, also one that it has judged', () => {
    const index = indexOf();
    const seen = token();
    expect(index.isRevoked(seen)).toBe(false);
    expect(index.apply({ epoch: 'e', seq: 101 }, [change(101, 'ac_1', 'touch')])).toBe('nothing-revoked');
    expect(index.isRevoked(seen)).toBe(false);
    expect(index.apply({ epoch: 'e', seq: 103 }, [change(102, 'ac_1'), change(103, 'ac_2')])).toBe('revoked');
    expect(index.isRevoked(seen)).toBe(true);
    expect(index.position).toEqual({ epoch: 'e', seq: 103 });
  });

  it('takes a batch twice without harm, and only the new part of an overlapping batch', () => {
    const index = indexOf();
    expect(index.apply({ epoch: 'e', seq: 101 }, [change(101, 'ac_9')])).toBe('revoked');
    expect(index.apply({ epoch: 'e', seq: 101 }, [change(101, 'ac_9')])).toBe('nothing-revoked');
    expect(index.apply({ epoch: 'e', seq: 102 }, [change(101, 'ac_9'), change(102, 'ac_1')])).toBe('revoked');
    expect(index.isRevoked(token())).toBe(true);
  });

  it.each([
    ['of another epoch', { epoch: 'f', seq: 101 }, [change(101, 'ac_1')]],
    ['that begins too late', { epoch: 'e', seq: 102 }, [change(102, 'ac_1')]],
    ['with a hole', { epoch: 'e', seq: 103 }, [change(101, 'ac_1'), change(103, 'ac_2')]],
    ['that leads further than its changes', { epoch: 'e', seq: 105 }, [change(101, 'ac_1')]],
  ])('takes no change of a batch %s', (_title, position, changes) => {
    const index = indexOf();
    expect(index.apply(position, changes)).toBe('gap');
    expect(index.position).toEqual({ epoch: 'e', seq: 100 });
    expect(index.isRevoked(token())).toBe(false);
  });

  it('of another epoch refuses what was minted before it', () => {
    const index = indexOf();
    const old = token();
    expect(index.isRevoked(old)).toBe(false);
    index.replace({ epoch: 'f', seq: 3 }, []);
    expect(index.isRevoked(old)).toBe(true);
    expect(index.isRevoked(verified({ n: ['ac_1'], v: ['f', 3] }))).toBe(false);
    expect(index.isRevoked(verified({ sub: 'u' }, 'outside'))).toBe(false);
  });

  it('forgets revocations by places of the log, and keeps those of outside tokens longer', () => {
    const index = indexOf(change(50, 'ac_1'), change(51, 'sub:u', 'outside'), { ...change(52, 'ac_2'), at: at + 10 });
    expect(index.size).toBe(3);
    index.forgetUpTo(51, 0);
    expect(index.size).toBe(2);
    expect(index.hasRevoked(['ac_2'], { epoch: 'e', seq: 10 })).toBe(true);
    expect(index.hasRevoked(['ac_1'], { epoch: 'e', seq: 10 })).toBe(false);
    expect(index.isRevoked(verified({ sub: 'u' }, 'outside'))).toBe(true);
    index.forgetUpTo(51, 51);
    expect(index.size).toBe(1);
    expect(index.isRevoked(verified({ sub: 'u', iat: at + 1_000_000 }, 'outside'))).toBe(false);
  });

  it('a second revocation by a clock that is a day behind takes nothing back', () => {
    const index = indexOf(change(50, 'sub:u', 'outside'));
    const held = verified({ sub: 'u', iat: at - 10 }, 'outside');
    expect(index.isRevoked(held)).toBe(true);
    index.apply({ epoch: 'e', seq: 101 }, [{ ...change(101, 'sub:u', 'outside'), at: at - 86_400 }]);
    expect(index.isRevoked(held)).toBe(true);
  });

  it('keeps revocations of outside tokens as long as the log, and longer where a token may live longer', () => {
    const day = 86_400;
    expect([outsideLifeSeconds(day), outsideLifeSeconds(90 * day)]).toEqual([35 * day, 90 * day]);
  });
});
