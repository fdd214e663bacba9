// The words of each mail, for people who know nothing of tokens: what happened, what to do, and what to do if you did not cause it.
// Pure texts, not escaped and not cut: message.ts does both. Texts that people chose go through `peoplesWords`.
// A mail that a stranger can have sent to any address holds no text of that stranger.

import { isMailbox } from './mailbox.ts';
import type { AboutToOpen, MessageKind, MessageValues, MessageWords } from './message-kinds.ts';
import { peoplesWords } from './plain-words.ts';
import type { EpochSeconds } from './time.ts';
import { defaultTimeZone, wallClock } from './time-zone.ts';

/** Says a moment in the zone of the mail's reader. */
type MomentWords = (at: EpochSeconds) => string;

type Wording = {
  readonly [Kind in MessageKind]: (values: MessageValues[Kind], name: string, moment: MomentWords) => MessageWords;
};

export const messageWording: Wording = {
  'verify-address': ({ path, validForMinutes, about }, name) => ({
    subject: `Confirm your address for ${name}`,
    blocks: [
      `Somebody, probably you, made an account at ${name} with this address.`,
      ...aboutBlock(about),
      'To finish, confirm that the address is yours.',
      { label: 'Confirm my address', path },
      `This works once, for ${duration(validForMinutes)}. If it was not you, do nothing: without this step nobody can use the account.`,
    ],
  }),

  'address-known': ({ path, resetPath }, name) => ({
    subject: `You already have an account at ${name}`,
    blocks: [
      `Somebody, probably you, tried to make an account at ${name} with this address. There is one already, so nothing was changed.`,
      { label: 'Sign in', path },
      'If you do not remember your password, choose a new one.',
      { label: 'Choose a new password', path: resetPath },
      'If it was not you, you need not do anything.',
    ],
  }),

  'reset-password': ({ path, validForMinutes }, name) => ({
    subject: `Choose a new password for ${name}`,
    blocks: [
      `Somebody, probably you, asked for a new password for your account at ${name}.`,
      { label: 'Choose a new password', path },
      `This works once, for ${duration(validForMinutes)}. If it was not you, do nothing: your password stays as it is.`,
    ],
  }),

  'password-changed': ({ path, at }, name, moment) => ({
    subject: `Your password for ${name} was changed`,
    blocks: [
      `The password of your account at ${name} was changed on ${moment(at)}. You were signed out in every other browser.`,
      'If it was you, all is well. If it was not, choose a new password now.',
      { label: 'Choose a new password', path },
    ],
  }),

  'change-address-confirm': ({ path, validForMinutes }, name) => ({
    subject: `Confirm your new address for ${name}`,
    blocks: [
      `You asked ${name} to use this address for your account from now on.`,
      { label: 'Use this address', path },
      `This works once, for ${duration(validForMinutes)}. If you did not ask for it, do nothing, and nothing changes.`,
    ],
  }),

  'change-address-notice': ({ path, newAddress, at }, name, moment) => ({
    subject: `The address of your account at ${name} is being changed`,
    blocks: [
      `On ${moment(at)} somebody who was signed in to your account at ${name} asked to change its address to ${peoplesWords(newAddress, 254)}.`,
      'If it was you, all is well. If it was not, sign in, sign out the browsers you do not know, and change your password.',
      { label: 'Look at my account', path },
    ],
  }),

  invitation: ({ path, validForMinutes, inviter }, name) => ({
    subject: `You are invited to ${name}`,
    blocks: [
      inviter === null
        ? `You are invited to have an account at ${name}.`
        : `${peoplesWords(inviter)} invites you to have an account at ${name}.`,
      { label: 'Accept the invitation', path },
      `This works once, for ${duration(validForMinutes)}. If you do not want an account, do nothing.`,
    ],
  }),

  'sign-in-link': ({ path, validForMinutes }, name) => ({
    subject: `Sign in to ${name}`,
    blocks: [
      `Here is your way in to ${name}. No password is needed.`,
      { label: 'Sign in', path },
      `This works once, for ${duration(validForMinutes)}. Whoever opens it is signed in as you, so do not pass it on.`,
    ],
  }),

  'sign-in-code': ({ path, validForMinutes, digits, about }, name) => ({
    subject: `${digits} is your code for ${name}`,
    blocks: [
      `Somebody, probably you, wants to sign in at ${name} with this address.`,
      ...aboutBlock(about),
      `Your code: ${digits}`,
      'Type it on the page that asked for it. Nobody else needs it, so tell it to nobody.',
      'Or go on in the browser that shows this mail:',
      { label: about === null ? 'Sign in here' : 'Go on here', path },
      `Both work once, for ${duration(validForMinutes)}. If it was not you, do nothing: without this mail nobody gets in.`,
    ],
  }),

  'new-device': ({ path, device, at }, name, moment) => ({
    subject: `New sign-in to ${name}`,
    blocks: [
      `On ${moment(at)} your account at ${name} was opened in a new browser: ${peoplesWords(device)}.`,
      'If it was you, all is well. If it was not, sign that browser out and change your password.',
      { label: 'See where I am signed in', path },
    ],
  }),

  'account-deleted': ({ at }, name, moment) => ({
    subject: `Your account at ${name} was deleted`,
    blocks: [
      `Your account at ${name} was deleted on ${moment(at)}. You are signed out in every browser, and what you shared is no longer shared.`,
      'If you did not want this, tell the people who run the site.',
    ],
  }),

  'link-for-you': ({ url, label, owner, isBound, untilAt }, name, moment) => ({
    subject: `${peoplesWords(owner)} shared something with you: ${peoplesWords(label)}`,
    blocks: [
      `${peoplesWords(owner)} shared “${peoplesWords(label)}” with you at ${name}.`,
      { label: 'Open it', url },
      isBound
        ? 'This link is for you alone: it opens with this mail address only.'
        : 'This link is for you: whoever opens it first can use it, so do not pass it on.',
      untilAt === null
        ? 'Once you opened it you can come back at any time, on any of your devices.'
        : `Once you opened it you can come back on any of your devices, until ${moment(untilAt)}.`,
      'If you did not expect this, you need not do anything.',
    ],
  }),

  'link-claimed': ({ path, label, member, device, at }, _name, moment) => ({
    subject: `Somebody opened your link: ${peoplesWords(label)}`,
    blocks: [
      `${peoplesWords(member)} opened your link “${peoplesWords(label)}” on ${moment(at)}${device === null ? '' : ` (${peoplesWords(device)})`} and can come back without it from now on.`,
      'You can see who opened it, and stop sharing, at any time.',
      { label: 'See who opened it', path },
    ],
  }),

  'member-joined': ({ path, label, owner }, name) => ({
    subject: `You can now open: ${peoplesWords(label)}`,
    blocks: [
      `${peoplesWords(owner)} shared “${peoplesWords(label)}” with you at ${name}.`,
      'You do not need the link any more: sign in, in any browser, and it is there.',
      { label: 'See what is shared with me', path },
    ],
  }),

  'member-revoked': ({ label, owner }, name) => ({
    subject: `Your access has ended: ${peoplesWords(label)}`,
    blocks: [
      `“${peoplesWords(label)}” at ${name} is no longer shared with you. ${peoplesWords(owner)} decides who may open it.`,
      'If you think this is a mistake, ask them for a new link.',
    ],
  }),

  'key-shared': ({ path, giver, giverAddress, expiresAt, ...shared }, name, moment) => ({
    subject: `${personWords(giver || giverAddress)} offers you a key: ${peoplesWords(shared.key)}`,
    blocks: [
      `${giverWords(giver, giverAddress)} wants to share ${keyWords(shared)} with you at ${name}.`,
      'Look at what it opens first. You get the key only once you ask for it and show that it is you.',
      { label: 'See the key', path },
      `You can ask for it until ${moment(expiresAt)}, with this mail address only.`,
      'If you do not know the sender, you need not do anything. On the same page you can also say that you want no more keys from them.',
    ],
  }),

  'key-accepted': ({ path, giver, at, ...shared }, name, moment) => ({
    subject: `You now have a key: ${peoplesWords(shared.key)}`,
    blocks: [
      `Since ${moment(at)} your account at ${name} has ${keyWords(shared)}, which ${personWords(giver)} shares with you.`,
      { label: 'See my keys', path },
      'If it was not you, sign in, give the key back, and choose a new password.',
    ],
  }),

  'key-share-accepted': ({ path, recipient, at, ...shared }, _name, moment) => ({
    subject: `${personWords(recipient)} accepted your key: ${peoplesWords(shared.key)}`,
    blocks: [
      `${personWords(recipient)} has ${keyWords(shared)} since ${moment(at)}.`,
      'You can see when it was last used, and stop sharing it, at any time.',
      { label: 'See what I share', path },
    ],
  }),

  'key-code': ({ digits, validForMinutes, ...shared }, name) => ({
    subject: `${digits} is your code for a key at ${name}`,
    blocks: [
      `Somebody, probably you, asked for ${keyWords(shared)} at ${name} with this address.`,
      `Your code: ${digits}`,
      'Type it on the page that asked for it. Nobody else needs it, so tell it to nobody.',
      `It works once, for ${duration(validForMinutes)}. If it was not you, do nothing: without this mail nobody gets the key.`,
    ],
  }),

  'key-share-ends-soon': ({ path, giver, at, ...shared }, name, moment) => ({
    subject: `A key ends soon: ${peoplesWords(shared.key)}`,
    blocks: [
      `You have ${keyWords(shared)} at ${name} until ${moment(at)}. ${personWords(giver)} shares it with you.`,
      'If you need it for longer, ask them.',
      { label: 'See my keys', path },
    ],
  }),

  'key-share-ended': ({ path, other, reader, reason, at, ...shared }, name, moment) => ({
    subject: `A key is no longer shared: ${peoplesWords(shared.key)}`,
    blocks: [
      reader === 'holder'
        ? `Since ${moment(at)} you no longer have ${keyWords(shared)} at ${name}.`
        : `Since ${moment(at)} ${personWords(other)} no longer has ${keyWords(shared)} at ${name}.`,
      ...endWords(reader, reason, personWords(other)),
      reader === 'holder' ? { label: 'See my keys', path } : { label: 'See what I share', path },
    ],
  }),
};

/** `the key “Front door” (Hillside staff card of Hillside)`. */
function keyWords({
  key,
  credential,
}: {
  readonly key: string;
  readonly credential: { readonly name: string; readonly issuer: string };
}): string {
  return `the key “${peoplesWords(key)}” (${peoplesWords(credential.name)} of ${peoplesWords(credential.issuer)})`;
}

/** A giver by name and address: anybody may choose any name, and nobody another person's address. */
function giverWords(name: string, address: string): string {
  const shown = personWords(address);
  return name === '' || name === address ? shown : `${personWords(name)} (${shown})`;
}

/**
 * The name or address of somebody who shares keys, in a mail to somebody who may never have heard of them. Anybody may choose any name, so
 * one that reads like the address of a site is spelled so that no mail program makes a link of it.
 */
function personWords(text: string): string {
  if (isMailbox(text)) return peoplesWords(text, 254);
  return peoplesWords(text).replaceAll(/(?<=[\p{L}\p{N}])\.(?=[\p{L}\p{N}])/gu, '. ');
}

function endWords(reader: 'holder' | 'giver', reason: 'revoked' | 'address-changed', other: string): string[] {
  if (reason === 'revoked') return reader === 'holder' ? [`${other} shared it. If you still need it, ask them.`] : [];
  return reader === 'holder'
    ? [`It was shared with your former mail address. If you still need it, ask ${other} to share it with the new one.`]
    : ['Their account has another mail address now. Share the key with that address if they still need it.'];
}

/** The sentence that says what opens after this step. */
function aboutBlock(about: AboutToOpen | null): string[] {
  if (about === null) return [];
  const label = `“${peoplesWords(about.label)}”`;
  if (about.owner === null) return [`After that you can open ${label}.`];
  return [`After that you can open ${label}, which ${peoplesWords(about.owner)} shared.`];
}

/** `90` is `90 minutes`, `1440` is `24 hours`, `10080` is `7 days`. */
function duration(minutes: number): string {
  const [count, unit] =
    minutes % 1440 === 0 && minutes > 1440
      ? [minutes / 1440, 'day']
      : minutes % 60 === 0
        ? [minutes / 60, 'hour']
        : [minutes, 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const months = 'January February March April May June July August September October November December'.split(' ');

/** `22 November 2026 at 08:05 UTC`, or `at 09:05 (Europe/Berlin time)`. @param zone  a name that Intl knows */
export function momentWords(at: EpochSeconds, zone: string): string {
  const { year, month, day, hour, minute } = wallClock(zone)(at);
  const two = (part: number): string => String(part).padStart(2, '0');
  const said = `${day} ${months[month - 1]} ${year} at ${two(hour)}:${two(minute)}`;
  return zone === defaultTimeZone ? `${said} UTC` : `${said} (${zone.replaceAll('_', ' ')} time)`;
}
