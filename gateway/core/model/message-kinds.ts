// The mails that latchkey sends: a closed list of kinds, what each has to know, and what its wording gives. Types only.
// A new kind is a member of `MessageValues` and its words in message-wording.ts.

import type { EpochSeconds } from './time.ts';

/** A page of the portal that a mail leads to. It may hold a code that is spent once; the mail is sealed until it is sent. */
interface Leads {
  /** Path and query under `Branding.publicUrl`; begins with one slash. */
  readonly path: string;
}

/** A page that stops working. */
interface LeadsForAWhile extends Leads {
  /** From now, whole minutes; said in words. */
  readonly validForMinutes: number;
}

/**
 * What each kind of mail has to know. Texts that people chose (names, labels, addresses) are cut and cleaned when they are
 * rendered. Mails that an unknown visitor can cause hold no text of that visitor, so that nobody can write letters through us.
 */
export interface MessageValues {
  /** To somebody who registered with this address. */
  readonly 'verify-address': LeadsForAWhile;
  /** Somebody tried to register with an address that has an account already. `path`: sign in. */
  readonly 'address-known': Leads & { readonly resetPath: string };
  readonly 'reset-password': LeadsForAWhile;
  /** `path`: where a password is reset, for who did not do it. */
  readonly 'password-changed': Leads & { readonly at: EpochSeconds };
  /** To the new address. */
  readonly 'change-address-confirm': LeadsForAWhile;
  /** To the old address. `path`: the account page. */
  readonly 'change-address-notice': Leads & { readonly newAddress: string; readonly at: EpochSeconds };
  /** `inviter`: name or address of who invited; null when the operator did. */
  readonly invitation: LeadsForAWhile & { readonly inviter: string | null };
  /** The one-time way in without a password. */
  readonly 'sign-in-link': LeadsForAWhile;
  /** `path`: the device list. */
  readonly 'new-device': Leads & { readonly device: string; readonly at: EpochSeconds };
  readonly 'account-deleted': { readonly at: EpochSeconds };
  /** To the owner of a link. `path`: the owner's view of it. */
  readonly 'link-claimed': Leads & {
    /** The link's label, or what it opens. */
    readonly label: string;
    /** Name or address of who came in. */
    readonly member: string;
    readonly device: string | null;
    readonly at: EpochSeconds;
  };
  /** To the member who came in. `path`: my links. */
  readonly 'member-joined': Leads & { readonly label: string; readonly owner: string };
  /** To the member who lost it. */
  readonly 'member-revoked': { readonly label: string; readonly owner: string };
}

export type MessageKind = keyof MessageValues;

/** A piece of a mail: a paragraph, or a page to open. */
type MessageBlock = string | { readonly label: string; readonly path: string };

/** What the wording of a kind gives: plain texts, not yet escaped. */
export interface MessageWords {
  readonly subject: string;
  readonly blocks: readonly MessageBlock[];
}
