// What `latchkey demo` prints once it runs: addresses to open and lines to paste.
// Pure text; the curl lines print a status each, so that what a reader sees is what the line above promised.

import { type DemoSignIns, demoPeople } from './demo-accounts.ts';
import { demoNames, demoTokenHours } from './prepare-demo.ts';

interface RunningDemo extends DemoSignIns {
  /** Port of the gateway on loopback. */
  readonly port: number;
  readonly password: string;
  readonly mediaToken: string;
  readonly appToken: string;
  readonly folder: string;
}

/** A line to paste, and what it shows. */
interface CurlLine {
  readonly about: string;
  readonly status: number;
  readonly line: string;
}

/** The whole text, ending in a newline. */
export function describeDemo(demo: RunningDemo): string {
  const media = `http://${demoNames.mediaHost}:${demo.port}`;
  const app = `http://${demoNames.appHost}:${demo.port}`;
  const portal = `http://${demoNames.portalHost}:${demo.port}`;
  const curls = curlLines(demo).map(({ about, status, line }) => `  # ${about}: ${status}\n  ${line}\n`);
  return `
latchkey stands in front of two small sites. Ctrl-C ends everything.

Open in a browser
  the clip, by a signed URL that holds for ${demoTokenHours} hours:
  ${media}/.t/${demo.mediaToken}/vod/

  its playlist, for a player such as VLC or mpv:
  ${media}/.t/${demo.mediaToken}/vod/master.m3u8

  the clip, by name and password (${demoNames.user}, ${demo.password}):
  ${media}/vod/

  the web site, which shows what the gateway tells it about you:
  ${app}/.t/${demo.appToken}/

  the part of it that is open to anyone:
  ${app}/public/

Hand out a link to the summer folder
  1. Sign in as its owner, ${demoPeople.owner.email}. This opens it once; start the demo again for another:
     ${demo.ownerSignIn}
  2. Make a link: My links, New link, any name. Copy its URL, it is shown this once.
  3. In a private window be somebody else. This signs in ${demoPeople.guest.email}, once:
     ${demo.guestSignIn}
  4. Open the link's URL there: the clip plays, and the folder opens to the guest from now on, on every device:
     ${media}${demoNames.collectionPath}
  5. Back in the first window the owner sees who came. Take the link back, and the guest's player stops.

  a part of the web site that is for whoever is signed in, guest or owner:
  ${app}${demoNames.signedInPath}

  Mails are not sent; they are lines of ${demo.folder}/mails. Pages begin at ${portal}/.latchkey/

Paste into a shell; each line prints a status
${curls.join('\n')}
Configuration, logs and keys are in ${demo.folder}
`;
}

/** Allowed, refused without a token, refused with a changed one, and allowed by name and password. */
function curlLines({ port, mediaToken, password }: RunningDemo): readonly CurlLine[] {
  const url = `http://${demoNames.mediaHost}:${port}/vod/master.m3u8`;
  const curl = "curl -s -o /dev/null -w '%{http_code}\\n'";
  return [
    { about: 'with the token', status: 200, line: `${curl} -H 'Authorization: Bearer ${mediaToken}' ${url}` },
    { about: 'without one', status: 401, line: `${curl} ${url}` },
    {
      about: 'with one letter of it changed',
      status: 401,
      line: `${curl} -H 'Authorization: Bearer ${changeOneLetter(mediaToken)}' ${url}`,
    },
    {
      about: 'with name and password; the answer brings a pass along',
      status: 200,
      line: `${curl} -u '${demoNames.user}:${password}' ${url}`,
    },
  ];
}

/** Another token of the same form: one letter in the middle of the claims is another one, the hash stays. */
function changeOneLetter(token: string): string {
  const middle = Math.floor((token.indexOf('.') + token.lastIndexOf('.')) / 2);
  return `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`;
}
