// The text that `latchkey demo` prints once it runs: addresses to open and lines to paste.
// Each curl line prints the status of its answer, which the comment above the line promises.

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

/** A curl line to paste, and the status that it prints. */
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

/** Four requests: with a token, without one, with a changed token, and with name and password. */
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

/** A token whose signature does not hold: one letter in the middle of the claims is changed. */
function changeOneLetter(token: string): string {
  const middle = Math.floor((token.indexOf('.') + token.lastIndexOf('.')) / 2);
  return `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`;
}
