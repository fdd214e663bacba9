// The name that people know a browser by, from its User-Agent: `Firefox on Windows`, `Safari on an iPhone`.
// Pure. The name is a hint for people, and no decision uses it, since any client can send any User-Agent.

/** Tried in this order, because a browser that is built on another one names both in its User-Agent. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\b(?:Edg|EdgA|EdgiOS|Edge)\//, 'Edge'],
  [/\b(?:OPR|OPT|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/[\d.]+ .*\bSafari\//, 'Safari'],
  [/\bcurl\//, 'curl'],
  [/\bVLC\//, 'VLC'],
  [/\bKodi\//, 'Kodi'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\b(?:SMART-TV|SmartTV|Tizen|Web0S|webOS|BRAVIA|GoogleTV|Android TV|AppleTV|AFT[A-Z])/i, 'a television'],
  [/\biPhone\b/, 'an iPhone'],
  [/\biPad\b/, 'an iPad'],
  [/\bAndroid\b.*\bMobile\b/, 'an Android phone'],
  [/\bAndroid\b/, 'an Android tablet'],
  [/\bCrOS\b/, 'a Chromebook'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'a Mac'],
  [/\bLinux\b/, 'Linux'],
];

const longestLooked = 512;

/** The most characters of a User-Agent that are stored. */
export const maxUserAgentLength = 256;

/** @param userAgent  the field as sent; empty for a request without one */
export function deviceNameOf(userAgent: string): string {
  const text = userAgent.slice(0, longestLooked);
  const browser = browsers.find(([form]) => form.test(text))?.[1];
  const system = systems.find(([form]) => form.test(text))?.[1];
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`;
  if (browser !== undefined) return browser;
  return system === undefined ? 'A browser' : `A browser on ${system}`;
}

/** A device name that a person typed, as it is stored. @returns one line of 1 to 60 characters; null for a text that is none */
export function normaliseDeviceName(text: string): string | null {
  if (text.length > 400) return null;
  const name = text.normalize('NFC').trim();
  return /^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u.test(name) ? name : null;
}
