// What the control plane is told by the configuration: store, portal, accounts, mail, collections, links, sharing.
// Plain data, paths absolute. The URLs of the store and of the mail server may hold passwords: control reads these URLs and the edges never
// see them, see `withoutSecrets`.

/** Where control keeps accounts, links, sessions and keys, which have to survive a restart. */
export type StoreConfig =
  /** Absolute path of the database file. */
  | { readonly kind: 'sqlite'; readonly file: string }
  /** `postgres://user:password@host/database`. Secret. */
  | { readonly kind: 'postgres'; readonly url: string };

/** The single host that serves the pages for accounts and links. */
interface PortalConfig {
  /** Origin, without a slash at its end: `https://portal.example.org`. */
  readonly publicUrl: string;
  /** Host of `origin`, lower case, without port. */
  readonly host: string;
  /** Shown on pages and in mails. Default `latchkey`. */
  readonly name: string;
  /** Mail address of whoever helps people; null for none. */
  readonly contact: string | null;
  /** Absolute path of an SVG or PNG, or null. */
  readonly logoFile: string | null;
  /**
   * Further hosts where people may be signed in, beside the hosts that routes and collections name: lower case, `*.` before a suffix for all
   * hosts below the suffix. For routes with a wildcard or without a host.
   */
  readonly hosts: readonly string[];
}

interface AccountsConfig {
  /**
   * Who gets an account beside those who were invited, where their address is of one of the domains. `invited`: nobody. `by_link`:
   * whoever opens a link that can be claimed, and reads the mailbox of the address. `open`: anybody.
   */
  readonly registration: 'invited' | 'by_link' | 'open';
  /** Lower-case domains that may register or join by a link; empty for all. */
  readonly domains: readonly string[];
  readonly limits: AccountLimits;
}

/** Bounds on what people who are not signed in can cause. */
export interface AccountLimits {
  /** Mails an hour that strangers can cause in all; registrations can use half of the limit at most, resets and codes to sign in three quarters each. Default 500. */
  readonly mailsPerHour: number;
  /** Registrations an hour from one /24 or /48, as many requests for a new password, and as many for codes. Default 100. */
  readonly requestsPerNetwork: number;
  /** Accounts whose address was never verified, in all. Default 10,000. */
  readonly unverifiedAccounts: number;
}

/** How mails leave. @testing */
export type MailTransportConfig =
  /** `smtp://` or `smtps://`, maybe with user and password. Secret. */
  | { readonly kind: 'smtp'; readonly url: string }
  /** `secretFile`: absolute path of the file with the key of the signature. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secretFile: string }
  /** Absolute path. For trying things out: the file holds working links. */
  | { readonly kind: 'log'; readonly file: string };

export interface MailConfig {
  /** `name <address>` or an address. */
  readonly from: string;
  readonly transport: MailTransportConfig;
}

/** A folder that accounts may own and hand out links to, and that keys may open. */
export interface CollectionConfig {
  readonly name: string;
  /** What people read; absent: the name. */
  readonly title?: string;
  /** Absolute path of a picture for pages; absent: none. Everybody who can reach the gateway can fetch it. */
  readonly pictureFile?: string;
  /** Lower-case host, no wildcard. */
  readonly host: string;
  /** Canonical folder, ends in `/`. */
  readonly path: string;
  /** Addresses of the accounts that own the collection, lower case; empty where only the operator, administrators and keys open it. */
  readonly owners: readonly string[];
  /** The most that ownership, the access list, a link or a key gives in the collection, with HEAD wherever GET stands; null for all. */
  readonly methods: readonly string[] | null;
  /** As `LinksConfig.defaultAccessSeconds`, for links to this collection; absent: as there. */
  readonly defaultAccessSeconds?: number | null;
}

interface LinksConfig {
  /** Names of the query parameters of a tokenized URL. Default `key` and `authtoken`. */
  readonly keyParameter: string;
  readonly tokenParameter: string;
  /** How long a new link gives access when its maker says nothing; null (the default) for no end. */
  readonly defaultAccessSeconds: number | null;
}

/** How often something may happen in a window of time. */
export interface ConfiguredRate {
  /** At least 1. */
  readonly count: number;
  /** At most a day. */
  readonly seconds: number;
}

/** Bounds on how people share keys with each other. */
export interface SharingConfig {
  /**
   * Whom a key may be shared with. `anyone`: every address. `domains`: addresses of `accounts.domains`; no address where none is listed.
   * `known`: addresses that have an account. Default `known` where `accounts.registration` is `invited`, else `anyone`.
   */
  readonly invite: 'anyone' | 'domains' | 'known';
  /** The most that the depth of a new share may be, 0 to 6. Default 0. A share whose giver names no depth has depth 0. */
  readonly reshareDepth: number;
  /** How long a share that nobody accepted can be accepted. Default 30 days. */
  readonly expiresSeconds: number;
  /** How long a browser that asked for a key has to authenticate. Default 900. */
  readonly requestWindowSeconds: number;
  /** How long the message of a share cannot be sent again. Default 60. */
  readonly resendSeconds: number;
  /** New shares of one account. Default 50 an hour. */
  readonly perSender: ConfiguredRate;
  /** Messages about shares to one address; those beyond it are sent later. Default 10 an hour. */
  readonly perAddress: ConfiguredRate;
}

export interface ControlConfig {
  readonly store: StoreConfig;
  /** Absolute path; null: `master.key` in the data folder, made on the first run. */
  readonly masterKeyFile: string | null;
  /** null: there are no pages, so nobody can sign in. */
  readonly portal: PortalConfig | null;
  readonly accounts: AccountsConfig;
  /** null: no mail can be sent. */
  readonly mail: MailConfig | null;
  readonly collections: readonly CollectionConfig[];
  readonly links: LinksConfig;
  readonly sharing: SharingConfig;
}
