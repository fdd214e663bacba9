// The mails that latchkey sends: a closed list of kinds, the values of each kind, and the parts of its wording. Types only.
// For a new kind, add a member to `MessageValues` and its words to message-wording.ts.

import type { EpochSeconds } from './time.ts';

/** A page of the portal that a mail leads to. Its path may hold a one-time code, so the mail is sealed until it is sent. */
interface Leads {
  /** Path and query under `Branding.publicUrl`; begins with one slash. */
  readonly path: string;
}

/** A page that works for a limited time only. */
interface LeadsForAWhile extends Leads {
  /** How long the page works, in whole minutes from now; the mail says it in words. */
  readonly validForMinutes: number;
}

/** What the reader of a mail was about to open: the label of a link, and the name or address of its owner. */
export interface AboutToOpen {
  readonly label: string;
  readonly owner: string | null;
}

/** A key that is shared, by the names that an administrator gave to it. */
interface SharedKey {
  readonly key: string;
  /** Name and issuer of the credential that the key hangs off, such as a staff card. */
  readonly credential: { readonly name: string; readonly issuer: string };
}

/**
 * The values of each kind of mail. Texts that people chose (names, labels, addresses) are cut and cleaned when they are
 * rendered. A mail that an unknown visitor can cause holds no text of that visitor, so that strangers cannot send their own words
 * through latchkey; `AboutToOpen` has words of an owner whom the configuration names.
 */
export interface MessageValues {
  /** To a person who registered with this address. */
  readonly 'verify-address': LeadsForAWhile & { readonly about: AboutToOpen | null };
  /** To the holder of an account, after a visitor tried to register with its address. `path`: sign in. */
  readonly 'address-known': Leads & { readonly resetPath: string };
  readonly 'reset-password': LeadsForAWhile;
  /** `path`: where the password is reset, for a holder who did not change it. */
  readonly 'password-changed': Leads & { readonly at: EpochSeconds };
  /** To the new address. */
  readonly 'change-address-confirm': LeadsForAWhile;
  /** To the old address. `path`: the account page. */
  readonly 'change-address-notice': Leads & { readonly newAddress: string; readonly at: EpochSeconds };
  /** `inviter`: name or address of the account that invited; null for the operator. */
  readonly invitation: LeadsForAWhile & { readonly inviter: string | null };
  /** The one-time way in without a password. */
  readonly 'sign-in-link': LeadsForAWhile;
  /** Six digits for the browser that asked, and a page that signs in the browser that opens it. */
  readonly 'sign-in-code': LeadsForAWhile & { readonly digits: string; readonly about: AboutToOpen | null };
  /** `path`: the device list. */
  readonly 'new-device': Leads & { readonly device: string; readonly at: EpochSeconds };
  readonly 'account-deleted': { readonly at: EpochSeconds };
  /** To the person that a link was made for. `url`: the link's address, a secret, made from the configuration. */
  readonly 'link-for-you': {
    readonly url: string;
    readonly label: string;
    /** Name or address of the owner. */
    readonly owner: string;
    /** Whether only an account with the mail's own address can open the link. */
    readonly isBound: boolean;
    /** End of the access; null for none. */
    readonly untilAt: EpochSeconds | null;
  };
  /** To the owner of a link. `path`: the owner's view of it. */
  readonly 'link-claimed': Leads & {
    /** The link's label; for a link without one, what it opens. */
    readonly label: string;
    /** Name or address of the account that claimed the link. */
    readonly member: string;
    readonly device: string | null;
    readonly at: EpochSeconds;
  };
  /** To the account that claimed the link. `path`: my links. */
  readonly 'member-joined': Leads & { readonly label: string; readonly owner: string };
  /** To the member who lost the access. */
  readonly 'member-revoked': { readonly label: string; readonly owner: string };
  /**
   * To the address that a key is offered to; nothing is granted yet. Holds no words of the giver but the name. `path`: the page that
   * shows the key.
   */
  readonly 'key-shared': Leads &
    SharedKey & {
      /** Name of the giver; empty for none. */
      readonly giver: string;
      readonly giverAddress: string;
      /** First moment at which the key cannot be asked for any more. */
      readonly expiresAt: EpochSeconds;
    };
  /** To the address of the account that holds the key from now on. `path`: the keys of that account. */
  readonly 'key-accepted': Leads & SharedKey & { readonly giver: string; readonly at: EpochSeconds };
  /** To the giver. `recipient`: the address that the giver typed. `path`: the giver's view of the share. */
  readonly 'key-share-accepted': Leads & SharedKey & { readonly recipient: string; readonly at: EpochSeconds };
  /** To an address whose account has no password: digits for the browser that asked for the key. */
  readonly 'key-code': SharedKey & { readonly digits: string; readonly validForMinutes: number };
  /** To the holder, once. `at`: when the key ends. `path`: the keys of that account. */
  readonly 'key-share-ends-soon': Leads & SharedKey & { readonly giver: string; readonly at: EpochSeconds };
  /** To a party of a share that is over. `path`: the reader's view of keys. */
  readonly 'key-share-ended': Leads &
    SharedKey & {
      /** Name or address of the other party. */
      readonly other: string;
      /** Whether the reader had the key or gave it. */
      readonly reader: 'holder' | 'giver';
      /** `revoked`: by the giver or somebody above; `address-changed`: the holder's account has another address now. */
      readonly reason: 'revoked' | 'address-changed';
      readonly at: EpochSeconds;
    };
}

export type MessageKind = keyof MessageValues;

/** A piece of a mail: a paragraph, a page of the portal to open, or the address of a link to something behind the gateway. */
type MessageBlock =
  | string
  | { readonly label: string; readonly path: string }
  | { readonly label: string; readonly url: string };

/** The words of one mail: plain texts, not yet escaped. */
export interface MessageWords {
  readonly subject: string;
  readonly blocks: readonly MessageBlock[];
}
