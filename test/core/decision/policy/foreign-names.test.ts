// Which names count as those of other gateways, and which only resemble them.

import { describe, expect, it } from 'vitest';
import { isForeignName } from '../../../../gateway/core/decision/policy/foreign-names.ts';
import { foldName } from '../../../../gateway/core/decision/policy/identity.ts';

describe('names of other gateways', () => {
  it.each([
    'X-WEBAUTH-USER',
    'x_webauth_user',
    'X.WebAuth.Email',
    'X-Remote-Extra-Scopes',
    'X-authentik-groups',
    'X_Auth_Roles',
    'Cf-Access-Client-Id',
    'Tailscale-Headers-Info',
    'X-Pomerium-Claim-Email',
    'X-Vouch-IdP-Claims-Sub',
    'X-Amzn-Oidc-Data',
    'X-Amzn-Mtls-Clientcert',
    'X-MS-TOKEN-AAD-ID-TOKEN',
    'X-MS-CLIENT-PRINCIPAL',
    'OIDC_CLAIM_email',
    'X-SSL-Cert',
    'ssl_client_s_dn',
    'X-Client-Verified',
    'X-ARR-ClientCert',
    'True_Client_IP',
    'CF.Connecting.IP',
    'X-Azure-SocketIP',
    'X-Vercel-Forwarded-For',
  ])('%s is a name of another gateway', (name) => expect(isForeignName(foldName(name))).toBe(true));

  it.each([
    '',
    'Accept',
    'Authorization',
    'X-Auth-Token',
    'X-Access-Token',
    'X-Api-Key',
    'X-User-Id',
    'X-Client-Version',
    'X-Remote',
    'X-Requested-With',
    'X-SSLX',
    'CF-Ray',
    'CF-IPCountry',
    'X-Amzn-Trace-Id',
    'X-Proxy-Cache',
    'Client-Id',
    'My-X-WEBAUTH-USER',
  ])('%j is no name of another gateway', (name) => expect(isForeignName(foldName(name))).toBe(false));
});
