// Which requests with a link come from people: browsers inside other programs count as people, the programs' own previews do not.

import { expect, test } from 'vitest';
import { whoVisits } from '../../../gateway/api/serve/presented-url.ts';

const android = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)';
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';

function visitorOf(userAgent: string): string {
  const headers: Readonly<Record<string, string>> = {
    accept: 'text/html,application/xhtml+xml',
    'user-agent': userAgent,
    'sec-fetch-site': 'none',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  return whoVisits({ method: 'GET', header: (name) => headers[name] });
}

test.each([
  `${android} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 Telegram-Android/11.2.2 (Google Pixel 8; Android 14; SDK 34; HIGH)`,
  `${android} Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 [Pinterest/Android]`,
  `${iphone} Mobile/15E148 [Pinterest/iOS]`,
  `${iphone} Mobile/15E148 Instagram 330.0.0.0`,
  `${iphone} Mobile/21F79 [FBAN/FBIOS;FBAV/470.0.0.37.106;FBBV/600000000]`,
])('a browser inside another program is a person: %s', (userAgent) => {
  expect(visitorOf(userAgent)).toBe('person');
});

test.each([
  'TelegramBot (like TwitterBot)',
  'Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)',
  'Pinterest/0.2 (+https://www.pinterest.com/)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
  'facebookexternalhit/1.1',
  'WhatsApp/2.23.20.0',
])('what looks ahead for a picture of a link is a preview: %s', (userAgent) => {
  expect(visitorOf(userAgent)).toBe('preview');
});
