// What programs that people use must be able to do through the gateway. Each check runs one program and says what went wrong.

import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FieldRig } from './rig.ts';

interface FieldCheck {
  readonly program: string;
  readonly what: string;
  /** @returns null when all went well, or what did not; `passed` is for the table */
  run(rig: FieldRig): Promise<{ readonly passed: string; readonly problem: string | null }>;
}

const early = `
import http.client, sys
port, target, status, runs = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
body = b'a' * (12 * 1024 * 1024)
seen = 0
for _ in range(runs):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    try:
        connection.request('POST', target, body=body)
        if connection.getresponse().status == status:
            seen += 1
    except OSError as error:
        print(error)
    connection.close()
print('seen', seen)
`;

const roundTrip = `
import http.client, sys
port = int(sys.argv[1])
connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
def ask(method, target, body=None, headers={}, encode_chunked=False):
    connection.request(method, target, body=body, headers=headers, encode_chunked=encode_chunked)
    answer = connection.getresponse()
    return answer.status, answer.read()
pieces = [b'x' * 100000 for _ in range(20)]
assert ask('PUT', '/dav/python', iter(pieces), {'Transfer-Encoding': 'chunked', 'client_id': 'a'}, True)[0] == 201
status, body = ask('GET', '/dav/python')
assert status == 200 and body == b''.join(pieces), (status, len(body))
assert ask('GET', '/dav/python', headers={'Range': 'bytes=10-19'}) == (206, b'x' * 10)
assert ask('DELETE', '/dav/python')[0] == 204
print('done')
`;

function ended(ran: { readonly code: number | null; readonly output: string }, isGood: boolean, passed: string) {
  return { passed, problem: isGood ? null : `ended with ${ran.code}: ${ran.output.slice(-2000)}` };
}

const sameAs = (path: string, wanted: Buffer): boolean => {
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  return digest(readFileSync(path)) === digest(wanted);
};

const earlyCheck = (what: string, target: string, status: number): FieldCheck => ({
  program: 'python3',
  what,
  run: async (rig) => {
    const ran = await rig.run(['python3', '-', String(rig.port), target, String(status), String(rig.tries)], {
      input: early,
    });
    const seen = /seen (\d+)/.exec(ran.output)?.[1] ?? '0';
    return ended(ran, seen === String(rig.tries), `${seen} of ${rig.tries}`);
  },
});

export const fieldChecks: readonly FieldCheck[] = [
  {
    program: 'litmus',
    what: 'WebDAV, to Apache’s mod_dav',
    run: async (rig) => {
      const ran = await rig.run(['litmus', '-k', `${rig.url}/dav/`]);
      let run = 0;
      let passed = 0;
      for (const [, of = '0', good = '0'] of ran.output.matchAll(/of (\d+) tests run: (\d+) passed/g)) {
        run += Number(of);
        passed += Number(good);
      }
      return ended(ran, passed === 104 && run === 104, `${passed} of ${run}`);
    },
  },
  {
    program: 'git',
    what: 'push in chunks and clone, over smart HTTP',
    run: async (rig) => {
      const bare = join(rig.folder, '..', 'git', 'it.git');
      const made = join(rig.folder, 'made');
      const git = async (cwd: string, ...words: string[]) => {
        const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'init.defaultBranch=main'];
        const ran = await rig.run(['git', ...who, ...words], { cwd });
        if (ran.code !== 0) throw new Error(`git ${words.join(' ')}: ${ran.output}`);
        return ran;
      };
      try {
        await git(rig.folder, 'init', '-q', '--bare', '--shared=0777', bare);
        await git(rig.folder, '--git-dir', bare, 'config', 'http.receivepack', 'true');
        await rig.run(['chmod', '-R', '0777', bare]);
        await git(rig.folder, 'init', '-q', made);
        writeFileSync(join(made, 'large'), rig.large.subarray(0, 4 * 1024 * 1024));
        for (let index = 0; index < 200; index++)
          writeFileSync(join(made, `file-${index}`), `text ${index}\n`.repeat(200));
        await git(made, 'add', '.');
        await git(made, 'commit', '-q', '-m', 'first');
        await git(made, '-c', 'http.postBuffer=65536', 'push', '-q', `${rig.url}/git/it.git`, 'HEAD:main');
        await git(rig.folder, 'clone', '-q', '-b', 'main', `${rig.url}/git/it.git`, 'cloned');
        writeFileSync(join(rig.folder, 'cloned', 'more'), 'more');
        await git(join(rig.folder, 'cloned'), 'add', '.');
        await git(join(rig.folder, 'cloned'), 'commit', '-q', '-m', 'second');
        await git(join(rig.folder, 'cloned'), 'push', '-q', 'origin', 'main');
        await git(made, 'pull', '-q', `${rig.url}/git/it.git`, 'main');
        const isSame = sameAs(join(rig.folder, 'cloned', 'large'), rig.large.subarray(0, 4 * 1024 * 1024));
        return { passed: 'push, clone, push, pull', problem: isSame ? null : 'the clone differs' };
      } catch (error) {
        return { passed: '', problem: error instanceof Error ? error.message : String(error) };
      }
    },
  },
  {
    program: 'wget',
    what: 'goes on where a download stopped',
    run: async (rig) => {
      const file = join(rig.folder, 'large.bin');
      writeFileSync(file, rig.large.subarray(0, 5_000_000));
      const ran = await rig.run(['wget', '-q', '-c', '-O', file, `${rig.url}/files/large.bin`]);
      return ended(ran, ran.code === 0 && sameAs(file, rig.large), 'resumed');
    },
  },
  {
    program: 'wget',
    what: 'mirrors a site',
    run: async (rig) => {
      const ran = await rig.run(['wget', '-q', '-r', '-nH', '-P', 'mirror', `${rig.url}/files/index.html`]);
      const read = (name: string) => readFileSync(join(rig.folder, 'mirror', 'files', name), 'utf8');
      return ended(ran, ran.code === 0 && read('sub/b.html') === 'the end', 'all pages');
    },
  },
  earlyCheck('http.client: an early 401 while it sends 12 MiB', '/closed/a', 401),
  earlyCheck('http.client: an early 413 while it sends 12 MiB', '/small/a', 413),
  {
    program: 'python3',
    what: 'http.client: chunked upload, keep-alive, ranges',
    run: async (rig) => {
      const ran = await rig.run(['python3', '-', String(rig.port)], { input: roundTrip });
      return ended(ran, ran.code === 0 && ran.output.includes('done'), 'done');
    },
  },
  {
    program: 'aria2c',
    what: 'a file over 16 connections',
    run: async (rig) => {
      const words = ['-x16', '-s16', '-k1M', '--no-conf', '-q', '-d', rig.folder, '-o', 'aria.bin'];
      const ran = await rig.run(['aria2c', ...words, `${rig.url}/files/large.bin`]);
      return ended(ran, ran.code === 0 && sameAs(join(rig.folder, 'aria.bin'), rig.large), '16 ranges');
    },
  },
  {
    program: 'curl',
    what: 'Expect: 100-continue, an upload and its way back',
    run: async (rig) => {
      const file = join(rig.folder, 'upload.bin');
      writeFileSync(file, rig.large.subarray(0, 3_000_000));
      chmodSync(file, 0o644);
      const put = await rig.run(['curl', '-sf', '-H', 'Expect: 100-continue', '-T', file, `${rig.url}/dav/curl.bin`]);
      const got = await rig.run(['curl', '-sf', '-o', `${file}.back`, `${rig.url}/dav/curl.bin`]);
      const isGood = put.code === 0 && got.code === 0 && sameAs(`${file}.back`, rig.large.subarray(0, 3_000_000));
      return ended(put.code === 0 ? got : put, isGood, 'same bytes');
    },
  },
];
