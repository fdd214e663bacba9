// The gateway as a whole against llhttp behind it: the upstream reads exactly the requests that the client's bytes mean,
// no more and no fewer than answers were forwarded, each with its own target, fields and body. And the other way round:
// what an upstream sends becomes one sound answer or none, and the next request is not touched by it.

import { canonicalPath } from '../../gateway/core/model/path.ts';
import { isKnownMethod } from '../http1/for-llhttp.ts';
import { bytesOf, type Compared } from './comparison.ts';
import { Disagreement, same } from './disagreement.ts';
import { type ClientView, type GatewayRig, numberField } from './gateway-rig.ts';
import type { GeneratedAnswer } from './generated-answers.ts';
import { pieceEnds } from './generated-streams.ts';
import type { LlhttpMessage } from './llhttp.ts';
import { type OurRequest, readAnswer, readRequests } from './our-reading.ts';

// What the gateway itself may say to an upstream, beside what the client said.
const ownFields: ReadonlySet<string> = new Set(
  'host x-forwarded-for x-forwarded-proto x-forwarded-host x-request-id transfer-encoding'.split(' '),
);

/** Sends one connection's bytes through the gateway. @throws Disagreement */
export async function compareThrough(rig: GatewayRig, text: string, places: readonly number[]): Promise<Compared> {
  const bytes = bytesOf(text);
  const { requests, stop, openMethod } = readRequests(bytes, [bytes.length]);
  // llhttp, which reads what was forwarded, knows these alone; compareRequests looks at the others
  const methods = requests.map(({ method }) => method);
  // of one whose body breaks off the head is forwarded all the same
  if (openMethod !== '') methods.push(openMethod);
  if (!methods.every(isKnownMethod)) return { isAccepted: false, messages: 0 };
  const ends = pieceEnds(bytes.length, places);
  const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  const view = await rig.send(pieces, {
    methods: [...requests.map((request) => request.method), openMethod],
    answers: requests.length + (stop === 'refused' ? 1 : 0),
    ends: stop === 'refused' || stop === 'closed',
  });
  same('bytes that llhttp cannot read at the upstream', [], rig.unreadable);
  same('the bytes of the answers', null, view.error);
  if (view.ending === 'reset') throw new Disagreement('the connection was reset');
  const forwarded = checkAnswers(rig, view, requests);
  const seen = rig.received.map((message) => `${message.method} ${message.target}`);
  if (seen.length !== forwarded) throw new Disagreement(`${forwarded} answers forwarded, received ${seen.join(', ')}`);
  return { isAccepted: forwarded > 0, messages: forwarded };
}

/** @returns how many of the answers came from the upstream */
function checkAnswers(rig: GatewayRig, view: ClientView, requests: readonly OurRequest[]): number {
  let forwarded = 0;
  view.answers.forEach((answer, index) => {
    const number = fieldOf(answer, numberField);
    if (number === null) {
      if (answer.status < 300) throw new Disagreement(`answer ${index + 1} is a ${answer.status} of the gateway's own`);
      return;
    }
    const request = requests[index];
    const received = rig.received[forwarded++];
    if (request === undefined) throw new Disagreement(`answer ${index + 1} is for no request that we read`);
    if (number !== String(forwarded)) {
      const seen = rig.received.map((message) => `${message.method} ${message.target}`);
      throw new Disagreement(`answer ${forwarded} of the upstream is number ${number}, received ${seen.join(', ')}`);
    }
    same(`body of answer ${index + 1}`, request.method === 'HEAD' ? '' : `number ${number}`, answer.body);
    if (received !== undefined) checkForwarded(request, received);
  });
  if (view.ending === 'open' || view.answers.length === requests.length) return forwarded;
  // the gateway may end the connection earlier than the grammar asks for, but never without saying why
  const last = view.answers.at(-1);
  const saysClose = last !== undefined && fieldOf(last, 'connection') === 'close';
  if (!saysClose) throw new Disagreement(`the connection ended behind answer ${view.answers.length}, unannounced`);
  return forwarded;
}

/** What the upstream read is what the client meant. */
function checkForwarded(request: OurRequest, received: LlhttpMessage): void {
  const target = `${canonicalPath(request.path)}${request.query}`;
  const host = request.host === '' ? 'web' : request.host;
  const seen = { ...received, host: fieldOf(received, 'host') };
  for (const [name, value] of Object.entries({
    method: request.method,
    target,
    version: '1.1',
    body: request.body,
    host,
  })) {
    same(`forwarded ${name}`, value, Reflect.get(seen, name));
  }
  for (const [name, value] of received.fields) {
    if (ownFields.has(name.toLowerCase())) continue;
    if (!request.fields.some((sent) => sent[0] === name && sent[1] === value)) {
      throw new Disagreement(`the upstream got ${JSON.stringify(`${name}: ${value}`)}, which nobody sent`);
    }
  }
}

const sound = (method: string): Buffer => Buffer.from(`${method} /answer HTTP/1.1\r\nHost: a\r\n\r\n`);

/** Has the upstream answer with these bytes, and end; then asks once more on the same client connection. @throws Disagreement */
export async function compareAnswerThrough(rig: GatewayRig, answer: GeneratedAnswer): Promise<Compared> {
  const bytes = bytesOf(answer.text);
  // an end without a byte may be a stale connection, and is tried again
  if (bytes.length === 0) return { isAccepted: false, messages: 0 };
  const ours = readAnswer(answer.method, bytes, [bytes.length], true);
  rig.nextAnswer = bytes;
  const first = await rig.send([sound(answer.method)], { methods: [answer.method], answers: 1, ends: false });
  // behind its head what is not the whole of an answer ends, and its framing says that more was due
  const isCut = ours.stop !== 'complete' && first.ending === 'ended' && first.error === 'HPE_INVALID_EOF_STATE';
  if (!isCut) same('the bytes of the answer', null, first.error);
  const [final] = first.answers;
  if (ours.stop === 'complete') {
    same('status and body', [ours.statuses.at(-1), ours.body], [final?.status, final?.body]);
  } else if (final !== undefined) {
    // before the head went out it can be said; behind it only the end of the connection can
    same('answer to what is no answer', 502, final.status);
  } else if (first.ending === 'open') {
    throw new Disagreement('neither an answer nor an end');
  }
  const next = await rig.send([sound('GET')], { methods: ['GET'], answers: 1, ends: false });
  same('the next answer', [200, 'number 1'], [next.answers[0]?.status, next.answers[0]?.body]);
  return { isAccepted: ours.stop === 'complete', messages: ours.statuses.length };
}

function fieldOf(message: LlhttpMessage, name: string): string | null {
  return message.fields.find((field) => field[0].toLowerCase() === name.toLowerCase())?.[1] ?? null;
}
