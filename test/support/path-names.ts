// One name in several spellings: patterns of a token's `paths`, targets as clients send them, and whether the one opens the other.
// All verifiers of tokens have to give the same answers: the gateway, the verifier on the page about tokens, nginx with njs, HAProxy.

interface NameVector {
  readonly pattern: string;
  /** Path of the request line; ASCII. */
  readonly target: string;
  readonly opens: boolean;
}

/** All spellings of one name; each opens each. */
const families: readonly (readonly string[])[] = [
  ['/vod/ü', '/vod/%C3%BC', '/vod/%c3%bc', '/vod/%c3%BC'],
  ['/vod/my film.ts', '/vod/my%20film.ts'],
  ['/vod/(x)', '/vod/%28x%29', '/vod/(x%29'],
  ['/vod/[x]', '/vod/%5Bx%5D', '/vod/%5bx%5d'],
  ['/vod/{x}', '/vod/%7Bx%7D'],
  ['/vod/a+b', '/vod/a%2Bb', '/vod/a%2bb'],
  ['/vod/100%25', '/vod/100%25'],
  ['/vod/a;b', '/vod/a%3Bb'],
  ['/vod/~a', '/vod/%7Ea', '/vod/%7ea'],
  ["/vod/it's", '/vod/it%27s'],
  ['/vod/a&b=c', '/vod/a%26b%3Dc'],
  ['/vod/a@b:c', '/vod/a%40b%3Ac'],
  ['/vod/a,b!$', '/vod/a%2Cb%21%24'],
  ['/vod/%3F', '/vod/%3f'],
  ['/vod/%23a', '/vod/%23%61'],
  ['/vod/\u65e5\u672c', '/vod/%E6%97%A5%E6%9C%AC', '/vod/%e6%97%a5%e6%9c%ac'],
  ['/vod/\u{1f600}', '/vod/%F0%9F%98%80'],
];

const folders: readonly (readonly [pattern: string, target: string, opens: boolean])[] = [
  ['/vod/ü (1)/*', '/vod/%C3%BC%20(1)/a', true],
  ['/vod/ü (1)/*', '/vod/%c3%bc%20%281%29/a/b', true],
  ['/vod/%C3%BC%20%281%29/*', '/vod/%c3%bc%20(1)/', true],
  ['/vod/ü (1)/*', '/vod/%C3%BC%20(1)', false],
  ['/vod/ü (1)/*', '/vod/%C3%BC%20(2)/a', false],
  ['/vod/ü/*', '/vod/%C3%BCx/a', false],
  // NFC and NFD are two names
  ['/vod/ü', '/vod/u%CC%88', false],
  ['/vod/u\u0308', '/vod/u%CC%88', true],
  ['/vod/a+b', '/vod/a%20b', false],
  ['/vod/a b', '/vod/a+b', false],
  ['/vod/100%25', '/vod/100%2525', false],
  ['/vod/a;b', '/vod/a', false],
  ['/vod/a', '/vod/a;b', false],
  ['/vod/a', '/vod/A', false],
  ['/vod/100%', '/vod/100%25', false],
  ['/vod/a?b', '/vod/a%3Fb', false],
  ['/vod/%2561', '/vod/a', false],
  ['/vod/a%2Fb', '/vod/a/b', false],
  ['/vod/a%2Fb/*', '/vod/a/b/c', false],
  ['/vod/%2A', '/vod/%2A', true],
  ['/vod/%2A', '/vod/*', true],
  ['/vod/%2A', '/vod/a', false],
  ['/vod/%2A/*', '/vod/*/a', true],
  ['/vod/%2A/*', '/vod/b/a', false],
];

function isTarget(spelling: string): boolean {
  return /^[!-~]+$/.test(spelling) && !/[{}]/.test(spelling);
}

export const nameVectors: readonly NameVector[] = [
  ...families.flatMap((spellings) =>
    spellings.flatMap((pattern) =>
      spellings.filter(isTarget).map((target): NameVector => ({ pattern, target, opens: true })),
    ),
  ),
  ...folders.map(([pattern, target, opens]) => ({ pattern, target, opens })),
];
