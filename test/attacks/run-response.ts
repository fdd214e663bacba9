// Lets the upstream answer one request as a response row says, and judges what client, upstream and innocents saw of it.

import type { RawClient, RawResponse } from '../support/clients/raw-client.ts';
import { shown } from './judge.ts';
import type { Lane } from './lanes.ts';
import type { ResponseRow } from './response-row.ts';
import { request } from './row.ts';
import { askElsewhere, askInnocently, deadlineMs, getRefused, type Mode, prepare } from './run-row.ts';
import { echoTarget, type TapConnection } from './tap.ts';

const target = '/open/hostile';

/** @returns what was wrong; empty when the row holds */
export async function runResponse(row: ResponseRow, lane: Lane, mode: Mode): Promise<string[]> {
  const { tap } = lane;
  const problems: string[] = [];
  // no idle connection is left from the row before, unless this way wants a used one
  for (const { socket } of tap.connections) socket.end();
  await tap.until(() => tap.connections.every(({ isGone }) => isGone), deadlineMs);
  tap.clear();
  let hostile: TapConnection | null = null;
  let requestsBefore = 0;
  let asked = 0;
  tap.answer = (message) => {
    if (message.target !== target) return echoTarget(message);
    const { connection } = message;
    hostile = connection;
    asked++;
    requestsBefore = connection.requests;
    connection.socket.write(row.bytes, 'latin1');
    if (row.ending === 'end') connection.socket.end();
    if (row.ending === 'reset') connection.socket.write('', () => connection.socket.resetAndDestroy());
    return null;
  };
  if (mode === 'refused-elsewhere') problems.push(...(await getRefused(lane)));
  const client = await lane.connect();
  const timer = setTimeout(() => client.destroy(), deadlineMs);
  try {
    await prepare(client, mode);
    const method = row.method ?? 'GET';
    const bytes = request(method, target, row.asks ?? (method === 'POST' ? ['Content-Length: 0'] : []));
    client.write(row.minorVersion === 0 ? bytes.replace('HTTP/1.1', 'HTTP/1.0') : bytes);
    problems.push(...(await readAnswer(row, client, method)));
    const connection: TapConnection | null = hostile;
    if (connection === null) return [...problems, 'the upstream was never asked'];
    await afterAnswer(row, lane, connection);
    if (row.client.kind === 'answer' && row.client.isLast === true) {
      const rest = (await client.ended()).toString('latin1');
      if (rest !== '') problems.push(`bytes behind the answer: ${shown(rest)}`);
    } else if (row.client.kind === 'answer') problems.push(...(await askInnocently(client, 'the same connection')));
    problems.push(...(await askElsewhere(lane)));
    if (asked !== 1) problems.push(`the upstream was asked ${asked} times`);
    problems.push(...(await judgeConnection(row, lane, connection, requestsBefore)));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  clearTimeout(timer);
  client.destroy();
  return problems;
}

async function readAnswer(row: ResponseRow, client: RawClient, method: string): Promise<string[]> {
  const expected = row.client;
  const interim: number[] = [];
  let text = '';
  let answer: RawResponse;
  try {
    for (;;) {
      answer = await client.read(method);
      text += `${answer.head}\r\n\r\n${answer.body.toString('latin1')}`;
      if (answer.status >= 200) break;
      interim.push(answer.status);
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (expected.kind === 'cut' && client.hasEnded) return [];
    return [`no whole answer: ${said}`];
  }
  // where the end of the connection is the end of the body, a reset is what tells that it is not
  const wasReset = client.socket.errored !== null;
  if (expected.kind === 'cut' && wasReset) return [];
  if (expected.kind === 'cut') return [`an answer that looks whole: ${shown(text)}`];
  const problems: string[] = [];
  if (wasReset) problems.push('the connection was reset');
  if (answer.status !== expected.status) problems.push(`status ${expected.status} expected, got ${answer.status}`);
  if (expected.text !== undefined && answer.body.toString('latin1') !== expected.text) {
    problems.push(`the content is ${shown(answer.text)} instead of ${shown(expected.text)}`);
  }
  if (expected.contains !== undefined && !expected.contains.test(text))
    problems.push(`no ${expected.contains} in ${shown(text)}`);
  if (expected.lacks?.test(text)) problems.push(`${expected.lacks} in ${shown(text)}`);
  if (JSON.stringify(interim) !== JSON.stringify(expected.interim ?? [])) {
    problems.push(`interim answers ${JSON.stringify(expected.interim ?? [])} expected, got ${JSON.stringify(interim)}`);
  }
  return problems;
}

/** What the upstream says once nobody asks it any more; then the gateway has to have noticed. */
async function afterAnswer(row: ResponseRow, lane: Lane, connection: TapConnection): Promise<void> {
  if (row.behind !== undefined) connection.socket.write(row.behind, 'latin1');
  if (row.connection === 'destroyed') await lane.tap.until(() => connection.isGone, deadlineMs);
}

async function judgeConnection(
  row: ResponseRow,
  lane: Lane,
  connection: TapConnection,
  requests: number,
): Promise<string[]> {
  if (row.connection === 'kept') {
    return connection.requests > requests && !connection.isGone ? [] : ['the upstream connection was not used again'];
  }
  const problems: string[] = [];
  if (!(await lane.tap.until(() => connection.isGone, deadlineMs)))
    problems.push('the upstream connection is still open');
  if (connection.requests !== requests) problems.push('another request went over the upstream connection');
  return problems;
}
