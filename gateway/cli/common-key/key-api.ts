// What the commands about signing keys share: the words for refusals, and the check that the store owns the keys.
// The commands read answers by the shapes of `v1`, see api/v1/common-key-shapes.ts.

import type { Config } from '../../config/compiled/config.ts';
import { CommandError } from '../command/command-error.ts';
import type { RefusalWords } from '../command/refusal-words.ts';

const declaredHint =
  'edit common_keys there, and a running gateway takes it over; or drop common_keys to have latchkey keep the keys';

/** Messages and hints for refusals, by the endpoint's reason. */
export const keyWords: RefusalWords = {
  declared: { message: 'the configuration file declares the common keys', hint: declaredHint },
  unknown: { message: 'there is no such key', hint: 'latchkey common-key list --config FILE' },
  'only-signer': {
    message: 'it is the key that signs',
    hint: 'have another one sign first: latchkey common-key promote ID',
  },
  exists: { message: 'there is a key with this id already', hint: 'choose another id, or leave --id out' },
  'in-use': { hint: 'wait until then, or refuse those tokens now with --force' },
  retired: {
    message: 'a retired key stays retired',
    hint: 'make a new one: latchkey common-key generate --config FILE',
  },
  internal: { message: 'an internal key signs sessions, and never leaves latchkey' },
};

/** Refuses to change keys by command that the YAML file declares (gateway/RULES.md "Keys"). @throws CommandError when it declares some */
export function refuseDeclared({ commonKeys }: Config, file: string): void {
  if (commonKeys.length === 0) return;
  const ids = commonKeys.map(({ id }) => id).join(', ');
  throw new CommandError(`${file} declares the common keys (${ids}), so they are not changed by command`, {
    hint: declaredHint,
  });
}
