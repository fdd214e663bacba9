// The text that `latchkey demo` prints once it runs: addresses to open and lines to paste.
// Each curl line prints the status of its answer, which the comment above the line promises.

import { type DemoPeople, demoPeople } from './demo-accounts.ts';
import { type DemoHosts, demoNames } from './demo-names.ts';
import { demoTokenHours } from './prepare-demo.ts';

interface RunningDemo extends DemoPeople {
  readonly hosts: DemoHosts;
  /** The page with the mails. */
  readonly mailsPage: string;
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
  const { hosts, port } = demo;
  const media = `http://${hosts.media}:${port}`;
  const app = `http://${hosts.app}:${port}`;
  const curls = curlLines(demo).map(({ about, status, line }) => `  # ${about}: ${status}\n  ${line}\n`);
  return `
latchkey stands in front of three small sites. Ctrl-C ends everything.
${describeNetwork(demo)}
Begin here: a film that stops when its owner says so (3 minutes)
  1. Be a guest. Open this link in a private window:
     ${demo.linkUrl}
     Type any mail address, like anna@example.org, and press "Mail me a code". Nothing is sent; the mails are on this page:
     ${demo.mailsPage}
     Type the six digits, press "Go on", and then press "Open it".
  2. Press play. The film runs for five minutes. Leave it on.
  3. Be the owner. Open this in your usual window and press "Sign in"; it works once:
     ${demo.ownerSignIn}
  4. See who came in by the link. Press "Stop sharing", and once more to say that you mean it:
     ${demo.linkPage}
  5. Look at the guest's window: within seconds the film stops and says so.

Then look around
  an app with sign-in, which knows your name from the gateway and has a sign-out link:
  http://${hosts.notes}:${port}/

  the clip, by a signed URL that holds for ${demoTokenHours} hours, and its playlist for a player such as VLC or mpv:
  ${media}/.t/${demo.mediaToken}/vod/
  ${media}/.t/${demo.mediaToken}/vod/master.m3u8

  the clip, by name and password (${demoNames.user}, ${demo.password}):
  ${media}/vod/

  a web site that shows what the gateway tells it about you; a part for whoever is signed in; a part that is open to anyone:
  ${app}/.t/${demo.appToken}/
  ${app}${demoNames.signedInPath}
  ${app}/public/

  a guest who has an account already, ${demoPeople.guest.email}; this signs in, once (start the demo again for another):
  ${demo.guestSignIn}
  the folder that a link opens, for whoever came in by one:
  ${media}${demoNames.collectionPath}
  pages of latchkey, for guest, owner and administrator:
  http://${hosts.portal}:${port}/.latchkey/

Paste into a shell; each line prints a status
${curls.join('\n')}
Configuration, logs, mails and keys are in ${demo.folder}
`;
}

/** What one has to know who opens the demo to other machines; empty where it is on loopback. */
function describeNetwork({ hosts }: RunningDemo): string {
  const names = `${hosts.media} ${hosts.app} ${hosts.notes} ${hosts.portal}`;
  const lines = [
    hosts.isOpen &&
      'Careful: this is http on a network. Whoever is on that network can read every password, code, token and cookie of it.\nUse it in a network of your own, with nothing in it that matters. The page with the mails stays on this machine.',
    hosts.address !== null &&
      `Each machine that opens it needs this line in its hosts file (/etc/hosts):\n  ${hosts.address} ${names}`,
    hosts.isOpen &&
      hosts.address === null &&
      `These names have to lead to this machine, in DNS or by hosts files:\n  ${names}`,
  ].filter((line) => line !== false);
  return lines.map((line) => `\n${line}\n`).join('');
}

/** Four requests: with a token, without one, with a changed token, and with name and password. */
function curlLines({ hosts, port, mediaToken, password }: RunningDemo): readonly CurlLine[] {
  const url = `http://${hosts.media}:${port}/vod/master.m3u8`;
  const resolve = hosts.address === null ? '' : ` --resolve ${hosts.media}:${port}:${hosts.listen}`;
  const curl = `curl -s -o /dev/null -w '%{http_code}\\n'${resolve}`;
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
