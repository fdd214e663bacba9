// Header names in which other gateways, proxies and CDNs tell a site who the user is and where a request came from. A site that once
// stood behind one of them may still believe these headers, so no client may send them, on any route; `request.keep` lets a trusted
// proxy send some. This file judges names only. Sources: the manual of each program, as named beside the row. Names that many programs
// use for their own credentials (X-Auth-Token, X-Access-Token) or data (X-User-Id) are not listed: a route can remove them by
// `request.remove`.

interface ForeignNames {
  /** The programs that send these names; for readers of this table. */
  readonly said: string;
  /** Whole names, folded. */
  readonly names?: readonly string[];
  /** Beginnings of names, folded. */
  readonly prefixes?: readonly string[];
}

/** The table; one row for each family. */
const families: readonly ForeignNames[] = [
  // who the user is
  { said: 'Grafana, Gitea, Forgejo behind an authenticating proxy', prefixes: ['x-webauth-'] },
  { said: 'Apache, Kubernetes, Splunk and others behind one', prefixes: ['x-remote-'] },
  { said: 'authentik', prefixes: ['x-authentik-'] },
  {
    said: 'Keycloak Gatekeeper, early authentik, Posit',
    names: [
      'x-auth-user',
      'x-auth-username',
      'x-auth-userid',
      'x-auth-subject',
      'x-auth-email',
      'x-auth-name',
      'x-auth-groups',
      'x-auth-roles',
      'x-auth-audience',
      'x-rstudio-username',
    ],
  },
  { said: 'Cloudflare Access', prefixes: ['cf-access-'] },
  { said: 'Tailscale', prefixes: ['tailscale-'] },
  { said: 'Pomerium', prefixes: ['x-pomerium-'] },
  { said: 'Vouch', prefixes: ['x-vouch-'] },
  { said: 'Teleport', prefixes: ['teleport-', 'x-teleport-'] },
  { said: 'Amazon load balancers', prefixes: ['x-amzn-oidc-', 'x-amzn-mtls-', 'x-amzn-ava-'] },
  {
    said: 'Google IAP, App Engine, Endpoints',
    names: ['x-endpoint-api-userinfo', 'x-apigateway-api-userinfo'],
    prefixes: ['x-goog-authenticated-user-', 'x-goog-iap-', 'x-appengine-'],
  },
  { said: 'Azure App Service and Front Door', prefixes: ['x-ms-client-principal', 'x-ms-token-', 'x-azure-'] },
  {
    said: 'Kong, APISIX',
    names: ['x-userinfo', 'x-anonymous-consumer'],
    prefixes: ['x-consumer-', 'x-authenticated-', 'x-credential-'],
  },
  { said: 'Envoy, OpenShift', names: ['x-jwt-payload', 'x-rh-identity'], prefixes: ['x-envoy-'] },
  { said: 'mod_auth_openidc, mod_auth_mellon, mod_auth_cas', names: ['cas-user'], prefixes: ['oidc-', 'mellon-'] },
  { said: 'Shibboleth', prefixes: ['shib-', 'x-shib-'] },
  { said: 'OpenSearch, Kibana', prefixes: ['x-proxy-user', 'x-proxy-roles', 'x-proxy-ext-', 'x-proxy-remote-'] },
  { said: 'SiteMinder', prefixes: ['sm-user', 'sm-serversession'] },
  { said: 'IBM WebSEAL', prefixes: ['iv-user', 'iv-groups', 'iv-creds', 'iv-remote-'] },
  { said: 'Oracle Access Manager', prefixes: ['oam-remote-', 'oam-identity-'] },
  { said: 'Sandstorm, YunoHost, Nexus', names: ['auth-user', 'ynh-user'], prefixes: ['x-sandstorm-', 'x-sso-'] },
  { said: 'token verifiers', names: ['x-token-subject', 'x-token-email', 'x-token-groups'] },

  // the client's certificate; the names of RFC 9440 are latchkey's own
  {
    said: 'nginx, HAProxy, Apache, ingress controllers',
    names: ['x-ssl', 'x-arr-clientcert', 'x-clientcert'],
    prefixes: [
      'x-ssl-',
      'ssl-client-',
      'x-client-cert',
      'x-client-ssl-',
      'x-client-verif',
      'x-client-dn',
      'x-client-s-dn',
      'x-client-i-dn',
      'x-client-cn',
      'x-client-subject',
      'x-client-issuer',
      'x-client-serial',
      'x-client-fingerprint',
      'x-tls-client-',
      'tls-client-',
      'x-mtls-',
    ],
  },
  { said: 'CDNs', prefixes: ['cf-client-cert-', 'cf-cert-', 'cloudfront-viewer-cert-'] },

  // where the request came from
  {
    said: 'CDNs and clouds',
    names: [
      'true-client-ip',
      'x-true-client-ip',
      'cf-connecting-ip',
      'cf-connecting-ipv6',
      'cf-pseudo-ipv4',
      'fastly-client-ip',
      'fly-client-ip',
      'akamai-client-ip',
      'incap-client-ip',
      'do-connecting-ip',
      'x-nf-client-connection-ip',
      'x-sucuri-clientip',
      'x-vercel-forwarded-for',
      'x-vercel-proxied-for',
      'cloudfront-viewer-address',
      'ali-cdn-real-ip',
      'cdn-src-ip',
    ],
  },
  {
    said: 'proxies of all kinds',
    names: [
      'x-client-ip',
      'client-ip',
      'x-cluster-client-ip',
      'x-originating-ip',
      'x-real-port',
      'x-proxyuser-ip',
      'x-original-forwarded-for',
      'x-original-proto',
      'x-original-remote-addr',
      'wl-proxy-client-ip',
      'proxy-client-ip',
    ],
  },
];

const names: ReadonlySet<string> = new Set(families.flatMap((family) => family.names ?? []));
const prefixes = new RegExp(`^(?:${families.flatMap((family) => family.prefixes ?? []).join('|')})`);

/** Whether a folded name is one in which other gateways name the user, the client's certificate, or the client's address. */
export function isForeignName(foldedName: string): boolean {
  return names.has(foldedName) || prefixes.test(foldedName);
}
