// Sends one row in one way, and records what client and upstream saw. Judges nothing.
// Every way ends with an innocent request on the same connection, where it is still open, and with one on another.

import { RawClient, type RawResponse } from '../support/clients/raw-client.ts';
import type { Lane } from './lanes.ts';
import { get, type Making, type RequestRow } from './row.ts';
import type { TapConnection, TapMessage } from './tap.ts';

/**
 * The connection that a row's bytes go over: a fresh one; one that a good request was answered on; a fresh one right after
 * another connection of this client was refused; one that was itself refused something and went on.
 */
export const modes = ['fresh', 'reused', 'refused-elsewhere', 'refused-here'] as const;
export type Mode = (typeof modes)[number];

/** The observed result of a row. */
export interface Observed {
  readonly sent: string;
  readonly interim: readonly RawResponse[];
  readonly answers: readonly RawResponse[];
  /** Bytes that came behind the answers that were expected; only known once the connection has ended. */
  readonly behind: string;
  readonly end: 'closed' | 'open';
  /** Complete requests that the upstream got of the row. */
  readonly upstream: readonly TapMessage[];
  /** Connections to the upstream that hold bytes of no complete request. */
  readonly pieces: readonly Pick<TapConnection, 'rest' | 'broken' | 'isGone'>[];
  /** Problems that kept the row from running to its end, innocent requests that got something else, and the like. */
  readonly trouble: readonly string[];
}

/** Sent behind a row that ends its connection: a gateway that answers or forwards this has lost track of the stream. */
const tail = get('/open/smuggled');

/** How long one row may take; a row that passes takes a fraction of this time, even on a busy machine. */
export const deadlineMs = 20_000;
let innocents = 0;

/** The bytes of a row, ready to be written as latin1. */
export function render(row: RequestRow, making: Making): string {
  const bytes =
    typeof row.bytes === 'function' ? row.bytes(making) : row.bytes.replaceAll('{{token}}', () => making.token());
  return row.after === 'closed' && row.hasTail !== false ? bytes + tail : bytes;
}

export async function runRow(row: RequestRow, lane: Lane, mode: Mode): Promise<Observed> {
  const { tap } = lane;
  const sent = render(row, lane.making);
  const trouble: string[] = [];
  const answers: RawResponse[] = [];
  const interim: RawResponse[] = [];
  let behind = '';
  let end: Observed['end'] = 'open';
  // before: a gateway may have little patience with a connection on which nothing comes
  if (mode === 'refused-elsewhere') trouble.push(...(await getRefused(lane)));
  const client = row.isFirst === true ? await RawClient.connect(lane.port) : await lane.connect();
  const timer = setTimeout(() => client.destroy(), deadlineMs);
  try {
    await prepare(client, mode);
    tap.clear();
    client.write(sent);
    for (let index = 0; index < row.answers.length; ) {
      const answer = await client.read(row.methods?.[index]);
      if (answer.status < 200) interim.push(answer);
      else {
        answers.push(answer);
        index++;
      }
    }
    if (row.after === 'closed') {
      behind = (await client.ended()).toString('latin1');
      end = 'closed';
    } else {
      trouble.push(...(await askInnocently(client, 'the same connection')));
      end = client.hasEnded ? 'closed' : 'open';
    }
  } catch (error) {
    trouble.push(`after ${deadlineMs} ms at most: ${error instanceof Error ? error.message : String(error)}`);
    if (client.hasEnded) end = 'closed';
  }
  clearTimeout(timer);
  client.destroy();
  trouble.push(...(await askElsewhere(lane)));
  // a request that is still on its way ends with its client, and the innocents have overtaken nothing
  const hasPieces = (connection: TapConnection) => connection.rest.length > 0;
  await tap.until(() => tap.connections.filter(hasPieces).every(({ isGone }) => isGone), deadlineMs);
  return {
    sent,
    interim,
    answers,
    behind,
    end,
    upstream: tap.messages.filter(({ target }) => !target.startsWith('/open/innocent-')),
    pieces: tap.connections.filter(hasPieces),
    trouble,
  };
}

/** An innocent request on a connection of its own. @returns what was wrong with its answer */
export async function askElsewhere(lane: Lane): Promise<string[]> {
  const other = await lane.connect();
  const timer = setTimeout(() => other.destroy(), deadlineMs);
  try {
    return await askInnocently(other, 'another connection');
  } finally {
    clearTimeout(timer);
    other.destroy();
  }
}

/** @returns what was wrong with the answer */
export async function askInnocently(client: RawClient, where: string): Promise<string[]> {
  const target = `/open/innocent-${++innocents}`;
  try {
    client.write(get(target));
    const answer = await client.read();
    if (answer.status === 200 && answer.text === target) return [];
    return [`the innocent request ${target} on ${where} got ${answer.status} ${JSON.stringify(answer.text)}`];
  } catch (error) {
    return [`the innocent request ${target} on ${where}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** A refusal on a connection of its own. @returns what was wrong with it */
export async function getRefused(lane: Lane): Promise<string[]> {
  const other = await lane.connect();
  const timer = setTimeout(() => other.destroy(), deadlineMs);
  try {
    other.write(`GET /open/a b HTTP/1.1\r\n\r\n${tail}`);
    await expectStatus(other, 400);
    await other.ended();
    return [];
  } catch (error) {
    return [`the refusal before: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    clearTimeout(timer);
    other.destroy();
  }
}

/** The requests that are sent before a row on the row's own connection. */
export async function prepare(client: RawClient, mode: Mode): Promise<void> {
  if (mode === 'reused') {
    client.write(get('/open/before'));
    await expectStatus(client, 200);
  } else if (mode === 'refused-here') {
    client.write(get('/vod/before'));
    await expectStatus(client, 401);
  }
}

async function expectStatus(client: RawClient, status: number): Promise<void> {
  const answer = await client.read();
  if (answer.status !== status) throw new Error(`the request before got ${answer.status} instead of ${status}`);
}
