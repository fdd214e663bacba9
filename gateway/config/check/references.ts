// Compares the values of a configuration file with each other and with the files that they name.
// Works on a draft, so that a broken part does not hide what is wrong elsewhere. Reads files, changes none.

import { accessSync, constants, statSync } from 'node:fs';
import { validateCustomHeaderName } from '../../core/decision/policy/identity.ts';
import { fileRefusal, readNamedFile, worldReadableWarning } from '../files/named-file.ts';
import { type KeyFile, readKeyFile } from '../files/secrets.ts';
import { type Problem, type ProblemPath, problemAt } from '../problems/problem.ts';
import { suggestionHint } from '../problems/suggest.ts';
import type { Draft } from '../schema/inspect.ts';
import type { ConfigFile } from '../schema/schema.ts';
import { checkControl } from './references-control.ts';
import { checkListenerFiles, checkListeners } from './references-listeners.ts';
import { checkPathEnds } from './references-paths.ts';
import { checkPolicies } from './references-policy.ts';
import { checkRoundTrips, checkUpstreams } from './references-upstreams.ts';
import { checkWho } from './references-who.ts';

interface References {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Checks a draft as far as it could be read.
 *
 * @param absolute  makes a path of the file absolute
 * @param files     `check` opens the files that are named; `skip` leaves them alone
 */
export function checkReferences(
  draft: Draft<ConfigFile>,
  absolute: (path: string) => string,
  files: 'check' | 'skip',
): References {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  checkListeners(draft, problems, warnings);
  checkKeys(draft, problems);
  checkRoutes(draft, problems);
  checkPathEnds(draft, warnings);
  checkTokens(draft, problems);
  checkControl(draft, problems, warnings);
  checkUpstreams(draft.upstreams ?? {}, absolute, files, problems, warnings);
  checkRoundTrips(draft, warnings);
  checkPolicies(draft, problems);
  if (files === 'check') checkFiles(draft, absolute, problems, warnings);
  if (files === 'check') checkListenerFiles(draft, absolute, problems, warnings);
  return { problems, warnings };
}

function checkKeys(draft: Draft<ConfigFile>, problems: Problem[]): void {
  const keys = draft.common_keys;
  if (keys === undefined || keys.length === 0) return;
  const byId = new Map<string, number>();
  let signing: number | undefined;
  for (const [at, key] of keys.entries()) {
    if (key?.id !== undefined) {
      const first = byId.get(key.id);
      if (first === undefined) byId.set(key.id, at);
      else
        problems.push(
          problemAt(
            ['common_keys', at, 'id'],
            `key id ${JSON.stringify(key.id)} is taken by common_keys[${first}]`,
            'ids are in tokens; give each key its own',
          ),
        );
    }
    if (key?.state !== 'signing') continue;
    if (signing === undefined) signing = at;
    else
      problems.push(
        problemAt(
          ['common_keys', at, 'state'],
          `a second signing key beside common_keys[${signing}]`,
          'set one of them to verifying',
        ),
      );
  }
  // A common key whose state could not be read may be the one that was meant to sign.
  if (signing === undefined && keys.every((key) => key?.state !== undefined)) {
    problems.push(problemAt(['common_keys'], 'no key has the state signing', 'set one of them to signing'));
  }
}

const ownUpstreamName = 'latchkey';

function checkRoutes(draft: Draft<ConfigFile>, problems: Problem[]): void {
  const upstreams = draft.upstreams === undefined ? null : Object.keys(draft.upstreams);
  if (upstreams?.includes(ownUpstreamName)) {
    const hint = `"${ownUpstreamName}" stands for the gateway's own pages in metrics and logs; choose another name`;
    problems.push(problemAt(['upstreams', ownUpstreamName], 'the name is taken', hint));
  }
  const names = new Map<string, number>();
  const places = new Map<string, number>();
  for (const [at, route] of (draft.routes ?? []).entries()) {
    if (route === undefined) continue;
    if (route.upstream !== undefined && upstreams !== null && !upstreams.includes(route.upstream)) {
      const hint = upstreams.length === 0 ? 'declare it under upstreams' : suggestionHint(route.upstream, upstreams);
      problems.push(problemAt(['routes', at, 'upstream'], `unknown upstream ${JSON.stringify(route.upstream)}`, hint));
    }
    if (route.name !== undefined) {
      const first = names.get(route.name);
      if (first === undefined) names.set(route.name, at);
      else
        problems.push(
          problemAt(
            ['routes', at, 'name'],
            `route name ${JSON.stringify(route.name)} is taken by routes[${first}]`,
            'names are labels in metrics and logs; give each route its own',
          ),
        );
    }
    if (route.path !== undefined) {
      checkReserved(draft, route.path, at, problems);
      const place = JSON.stringify([route.host ?? null, route.path]);

      const first = places.get(place);
      if (first === undefined) places.set(place, at);
      else
        problems.push(
          problemAt(
            ['routes', at, 'path'],
            `same host and path as routes[${first}]`,
            'one of them would never be reached',
          ),
        );
    }
    for (const [place, kind] of (route.accept ?? []).entries()) {
      if (kind === 'password' && draft.users_file === undefined) {
        problems.push(
          problemAt(
            ['routes', at, 'accept', place],
            'password needs users_file',
            'set users_file, and fill it with: latchkey user add',
          ),
        );
      }
      if ((kind === 'session' || kind === 'member') && draft.portal === undefined) {
        const hint = 'people sign in there: portal: { public_url: https://portal.example.org }';
        problems.push(problemAt(['routes', at, 'accept', place], `${kind} needs portal`, hint));
      }
      if (kind !== undefined && (route.accept ?? []).indexOf(kind) < place) {
        problems.push(problemAt(['routes', at, 'accept', place], `${kind} stands here twice`, 'drop one of them'));
      }
    }
    checkWho(route, at, problems);
    checkIdentity(route.identity, at, problems);
  }
}

function checkReserved(draft: Draft<ConfigFile>, path: string, at: number, problems: Problem[]): void {
  for (const prefix of [draft.reserved_prefix ?? '/.latchkey/', draft.tokens?.path_prefix ?? '/.t/']) {
    if (path.startsWith(prefix) || `${path}/` === prefix) {
      problems.push(
        problemAt(
          ['routes', at, 'path'],
          `${path} is under ${prefix}, which latchkey keeps for itself`,
          'move the route',
        ),
      );
    }
  }
}

function checkIdentity(
  identity: Draft<ConfigFile['routes'][number]['identity']> | undefined,
  at: number,
  problems: Problem[],
): void {
  if (typeof identity !== 'object') return;
  for (const other of ['preset', 'user'] as const) {
    if (identity.custom === undefined || identity[other] === undefined) continue;
    const hint =
      'custom names every header itself: map sub, email or preferred_username to the name that the site reads';
    problems.push(problemAt(['routes', at, 'identity', other], 'stands beside custom', hint));
  }
  const claims = Object.entries(identity.custom ?? {});
  const path = ['routes', at, 'identity', 'custom'];
  if (identity.custom !== undefined && claims.length === 0)
    problems.push(problemAt(path, 'names no header', 'map at least one claim, like sub: X-User'));
  const seen = new Map<string, string>();
  for (const [claim, header] of claims) {
    if (header === undefined) continue;
    const other = seen.get(header.toLowerCase());
    if (other !== undefined)
      problems.push(
        problemAt([...path, claim], `header ${header} is taken by ${other}`, 'give each claim its own header'),
      );
    seen.set(header.toLowerCase(), claim);
    const wrong = validateCustomHeaderName(header);
    if (wrong !== null) problems.push(problemAt([...path, claim], wrong, 'choose a name of your own, like X-User'));
  }
}

function checkTokens(draft: Draft<ConfigFile>, problems: Problem[]): void {
  const parameter = draft.tokens?.parameter;
  if (parameter !== undefined && !/^[A-Za-z0-9._~-]{1,64}$/.test(parameter)) {
    problems.push(
      problemAt(
        ['tokens', 'parameter'],
        `${JSON.stringify(parameter)} is not a parameter name`,
        'letters, digits, ".", "_", "~" and "-"',
      ),
    );
  }
  if (/\p{Cc}/u.test(draft.tokens?.issuer ?? '')) {
    problems.push(problemAt(['tokens', 'issuer'], 'holds a control character', 'write a name or an address'));
  }
  const prefix = draft.tokens?.path_prefix;
  if (prefix !== undefined && prefix === draft.reserved_prefix) {
    problems.push(
      problemAt(['tokens', 'path_prefix'], 'is the same as reserved_prefix', 'keep /.t/ or choose another'),
    );
  }
}

function warnKeyFile(
  path: ProblemPath,
  file: string,
  { worldReadable, oddities }: Extract<KeyFile, { readonly kind: 'read' }>,
  warnings: Problem[],
): void {
  if (worldReadable) warnings.push(worldReadableWarning(path, file));
  for (const { problem, hint } of oddities) warnings.push(problemAt(path, `${file} ${problem}`, hint));
}

/** What is in the data folder is for the account that runs latchkey; one that latchkey makes is for it alone. */
function warnDataFolder(folder: string, warnings: Problem[]): void {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) === 0) return;
  const problem = `${folder} can be opened by other accounts of this machine (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
  warnings.push(problemAt(['data_dir'], problem, `chmod 700 ${folder}`));
}

function checkFiles(
  draft: Draft<ConfigFile>,
  absolute: (path: string) => string,
  problems: Problem[],
  warnings: Problem[],
): void {
  for (const [at, key] of (draft.common_keys ?? []).entries()) {
    if (key?.secret_file === undefined) continue;
    const path = ['common_keys', at, 'secret_file'];
    const file = absolute(key.secret_file);
    const read = readKeyFile(file);
    if (read.kind === 'refused') problems.push(problemAt(path, read.problem, read.hint));
    else warnKeyFile(path, file, read, warnings);
  }
  warnDataFolder(absolute(draft.data_dir ?? './data'), warnings);
  const { mail } = draft;
  if (mail?.webhook_secret_file !== undefined) {
    const path = ['mail', 'webhook_secret_file'];
    const file = absolute(mail.webhook_secret_file);
    const read = readKeyFile(file);
    // mails wait in the outbox until the file is there
    if (read.kind === 'refused') warnings.push(problemAt(path, read.problem, read.hint));
    else warnKeyFile(path, file, read, warnings);
  }
  for (const [at, collection] of (draft.collections ?? []).entries()) {
    if (collection?.picture_file === undefined) continue;
    const read = readNamedFile(absolute(collection.picture_file), {
      maxBytes: 1024 * 1024,
      hint: 'name a picture of at most 1 MiB',
    });
    // pages do without a picture that cannot be read
    if (read.kind === 'refused') warnings.push(problemAt(['collections', at, 'picture_file'], read.problem, read.hint));
  }
  if (draft.users_file !== undefined) {
    const file = absolute(draft.users_file);
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const refusal = fileRefusal(file, error, `make it with: latchkey user add NAME --file ${file}`);
      problems.push(problemAt(['users_file'], refusal.problem, refusal.hint));
    }
  }
}
