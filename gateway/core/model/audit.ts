// The closed vocabulary of the audit log: what can be done to accounts, links and other records, and the words for it.
// The unit of work that does something also writes the action, by `appendAudit`. Details hold ids and numbers, never secrets.

/** The part of a sentence behind the actor: `the operator stopped sharing a link`. Keys are `<kind of record>.<what happened>`. */
const phrases = {
  'account.created': 'made an account',
  'account.registered': 'registered',
  'account.invited': 'invited somebody to an account',
  'account.invitation-accepted': 'accepted an invitation',
  'account.sign-in-link-made': 'made a one-time sign-in link',
  'account.address-verified': 'confirmed an address',
  'account.address-change-requested': 'asked for another address',
  'account.address-changed': 'changed the address of an account',
  'account.code-requested': 'asked for a code to sign in',
  'account.password-reset-requested': 'asked for a new password',
  'account.password-reset': 'chose a new password by mail',
  'account.password-changed': 'changed a password',
  'account.renamed': 'changed the name of an account',
  'account.time-zone-chosen': 'chose a time zone',
  'account.role-changed': 'changed the role of an account',
  'account.groups-changed': 'changed the groups of an account',
  'account.disabled': 'blocked an account',
  'account.enabled': 'unblocked an account',
  'account.deleted': 'deleted an account',
  'account.exported': 'exported the data of an account',
  'session.started': 'signed in',
  'session.refused': 'was refused at sign-in',
  'session.ended': 'signed out',
  'session.all-ended': 'signed an account out everywhere',
  'device.added': 'signed in with a new browser',
  'device.renamed': 'named a browser',
  'device.ended': 'signed a browser out',
  'access-key.created': 'made an access key for links',
  'access-key.revoked': 'revoked an access key and all its links',
  'link.created': 'made a link',
  'link.address-shown': 'was shown the address of a link again',
  'link.mailed': 'had a link mailed',
  'link.changed': 'changed a link',
  'link.claimed': 'opened a link',
  'link.claim-refused': 'was refused at a link',
  'link.reopened': 'opened a link for more people',
  'link.revoked': 'stopped sharing a link',
  'link.given-back': 'gave a link back',
  'member.added': 'let a person in',
  'member.revoked': 'removed a person',
  'member.given-back': 'gave a person back their access',
  'member.all-revoked': 'stopped sharing a collection',
  'member.all-given-back': 'gave the links of a collection back',
  'access.opened-elsewhere': 'opened something on another device',
  'member.left': 'gave up an access',
  'key.generated': 'made a common key',
  'key.imported': 'brought in a common key',
  'key.promoted': 'made a common key the one that signs',
  'key.retired': 'retired a common key',
  'key.exported': 'exported a common key',
  'credential.revoked': 'ended the passes of a record of the users file',
  'credential.issued': 'issued a credential',
  'credential.withdrawn': 'withdrew a credential',
  'credential-key.added': 'added a key to a credential',
  'credential-key.removed': 'removed a key of a credential',
  'share.created': 'offered a key to somebody',
  'share.resent': 'had the message about a key sent again',
  'share.requested': 'asked for a key',
  'share.accepted': 'accepted a key',
  'share.declined': 'did not want a key',
  'share.left': 'gave a key back',
  'share.withdrawn': 'took the offer of a key back',
  'share.revoked': 'stopped sharing a key with somebody',
  'share.disabled': 'stopped sharing a key for a while',
  'share.enabled': 'went on sharing a key',
  'share.changed': 'changed for how long or how often a key is shared',
  'share.refused': 'was refused at sharing a key',
  'share.sender-blocked': 'wants no more keys of somebody',
  'share.sender-unblocked': 'takes keys of somebody again',
  'representation.made': 'made a way to carry a key',
  'representation.opened': 'opened the one-time address of a key',
  'representation.revoked': 'ended a way to carry a key',
  'token.revoked': 'revoked tokens made by others',
  'store.created': 'made the store',
  'store.migrated': 'migrated the store',
  'store.backed-up': 'made a backup of the store',
  'store.restored': 'restored the store from a backup',
  'audit.exported': 'exported the audit log',
  'limit.reached': 'reached a limit of the installation',
  'outbox.given-up': 'gave up delivering a mail',
  'outbox.retried': 'asked for a mail to be tried again',
} as const;

/** Every action that the audit log can hold. */
export type AuditAction = keyof typeof phrases;

/** All actions, as a list. */
export const auditActions = Object.keys(phrases) as readonly AuditAction[];

export function isAuditAction(text: string): text is AuditAction {
  return Object.hasOwn(phrases, text);
}

/**
 * An action as a sentence for people.
 *
 * @param actor  how the actor is called: a name or an address, `the operator`, `latchkey`
 */
export function auditSentence(action: AuditAction, actor: string): string {
  return `${actor} ${phrases[action]}`;
}
