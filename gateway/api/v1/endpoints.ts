// Every endpoint of `v1`, in the order of the OpenAPI document. An endpoint that is not in this list is served nowhere.
// The operator's server has the same list, see operator-server.ts.

import type { Endpoint } from '../serve/endpoint.ts';
import { accessEndpoints } from './access.ts';
import { accountEndpoints } from './accounts.ts';
import { auditEndpoints } from './audit.ts';
import { commonKeyEndpoints } from './common-keys.ts';
import { credentialEndpoints } from './credentials.ts';
import { explainEndpoints } from './explain.ts';
import { gotShareEndpoints } from './got-shares.ts';
import { linkEndpoints } from './links.ts';
import { meEndpoints } from './me.ts';
import { myAccountEndpoints } from './my-account.ts';
import { myKeyEndpoints } from './my-keys.ts';
import { peopleEndpoints } from './people.ts';
import { representationEndpoints } from './representations.ts';
import { revocationEndpoints } from './revocations.ts';
import { shareEndpoints } from './shares.ts';
import { signInEndpoints } from './sign-in.ts';

/** All endpoints of `v1`; the paths stand behind `v1/`. */
export const endpoints: readonly Endpoint[] = [
  ...signInEndpoints,
  ...meEndpoints,
  ...myAccountEndpoints,
  ...myKeyEndpoints,
  ...accountEndpoints,
  ...auditEndpoints,
  ...linkEndpoints,
  ...shareEndpoints,
  ...gotShareEndpoints,
  ...representationEndpoints,
  ...accessEndpoints,
  ...credentialEndpoints,
  ...peopleEndpoints,
  ...commonKeyEndpoints,
  ...revocationEndpoints,
  ...explainEndpoints,
];
