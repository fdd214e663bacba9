// Makes a ControlConfig of the sections that are for the control plane: store, portal, accounts, mail, collections, links, sharing. Pure.

import { withHead } from '../../core/token/scope.ts';
import type {
  ConfiguredRate,
  ControlConfig,
  MailConfig,
  SharingConfig,
  StoreConfig,
} from '../compiled/control-config.ts';
import type { ConfigFile } from '../schema/schema.ts';
import { sharingDefaults } from '../schema/schema-sharing.ts';

/** @param absolute  makes a path of the file absolute */
export function assembleControl(file: ConfigFile, dataDir: string, absolute: (path: string) => string): ControlConfig {
  const { store, portal, mail } = file;
  return {
    store: store.kind === 'sqlite' ? { kind: 'sqlite', file: `${dataDir}/latchkey.db` } : (store satisfies StoreConfig),
    masterKeyFile: file.master_key_file === undefined ? null : absolute(file.master_key_file),
    portal:
      portal === undefined
        ? null
        : {
            ...portal.public_url,
            name: portal.name,
            contact: portal.contact ?? null,
            logoFile: portal.logo_file === undefined ? null : absolute(portal.logo_file),
            hosts: portal.hosts,
          },
    accounts: {
      registration: file.accounts.registration,
      domains: file.accounts.domains,
      limits: {
        mailsPerHour: file.accounts.limits.mails_per_hour,
        requestsPerNetwork: file.accounts.limits.requests_per_network,
        unverifiedAccounts: file.accounts.limits.unverified_accounts,
      },
    },
    mail: mail === undefined ? null : assembleMail(mail, absolute),
    collections: file.collections.map(
      ({ default_access: access, title, picture_file: picture, methods, ...collection }) => ({
        ...collection,
        // sorted, so that another order of the same methods is no change of the collection
        methods: methods === undefined ? null : [...new Set(withHead(methods))].sort(),
        ...(title === undefined ? {} : { title }),
        ...(picture === undefined ? {} : { pictureFile: absolute(picture) }),
        ...(access === undefined ? {} : { defaultAccessSeconds: access }),
      }),
    ),
    links: {
      keyParameter: file.links.key_parameter,
      tokenParameter: file.links.token_parameter,
      defaultAccessSeconds: file.links.default_access,
    },
    sharing: assembleSharing(file),
  };
}

function assembleSharing({ sharing = sharingDefaults, accounts }: ConfigFile): SharingConfig {
  return {
    // A place that only invited people may join has no strangers who could be invited by everybody else.
    invite: sharing.invite ?? (accounts.registration === 'invited' ? 'known' : 'anyone'),
    reshareDepth: sharing.reshare_depth,
    expiresSeconds: sharing.expires,
    requestWindowSeconds: sharing.request_window,
    resendSeconds: sharing.resend,
    perSender: rateOf(sharing.per_sender),
    perAddress: rateOf(sharing.per_address),
  };
}

function rateOf({ count, perSeconds }: { readonly count: number; readonly perSeconds: number }): ConfiguredRate {
  return { count, seconds: perSeconds };
}

function assembleMail(mail: NonNullable<ConfigFile['mail']>, absolute: (path: string) => string): MailConfig | null {
  const { from, smtp, webhook, log, webhook_secret_file: secretFile } = mail;
  if (smtp !== undefined) return { from, transport: { kind: 'smtp', url: smtp } };
  if (webhook !== undefined && secretFile !== undefined)
    return { from, transport: { kind: 'webhook', url: webhook, secretFile: absolute(secretFile) } };
  return log === undefined ? null : { from, transport: { kind: 'log', file: absolute(log) } };
}
