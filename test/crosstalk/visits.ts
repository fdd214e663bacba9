// Lets many identities visit at once, each with its own connection and in its own manner: fast and slow, one request at a
// time and pipelined, small and large, staying and leaving. The seed alone determines what they do.

import { type Act, faultActs, identities, makeDice, type Question, type SoundAct, userOf } from './protocol.ts';
import type { Tally } from './tally.ts';
import { Visitor } from './visitor.ts';

export interface VisitOptions {
  readonly port: number;
  /** Token of each identity. */
  readonly tokens: readonly string[];
  readonly seed: number;
  /** Stands in every nonce: no other client of the run has it. */
  readonly clientName: string;
  /** Of all batches, how many are one large body: one in this many. */
  readonly largeOneIn: number;
  /** Of all small requests, how many ask for trouble: one in this many. */
  readonly troubleOneIn: number;
  /** What is asked for then. */
  readonly troubles: readonly Act[];
  readonly tally: Tally;
  /** Asked before each batch. */
  readonly isOver: () => boolean;
}

const mebibyte = 1024 * 1024;
// of a small body; answers with poison behind them have to arrive in one read
const smallBytes = 2000;
const mostPipelined = 8;
const hazardous: ReadonlySet<Act> = new Set<Act>([...faultActs, 'afterwards', 'bye', 'close', 'poison']);

/** Resolves when all have gone. */
export async function runVisits(options: VisitOptions): Promise<void> {
  await Promise.all(Array.from({ length: identities }, (_, number) => visit(number, options)));
}

async function visit(number: number, options: VisitOptions): Promise<void> {
  const dice = makeDice(options.seed * identities + number);
  const user = userOf(number);
  const visitor = new Visitor({ port: options.port, user, token: options.tokens[number] ?? '', tally: options.tally });
  let asked = 0;
  const nonce = (): string => `${options.clientName}-${number}-${++asked}`;
  // everybody begins with a large one, so that even a short run compares large bodies of all
  let isLarge = true;
  while (!options.isOver()) {
    const questions = isLarge ? [largeQuestion(dice, nonce())] : smallBatch(dice, nonce, options);
    options.tally.hazards += questions.filter((question) => hazardous.has(question.act)).length;
    const bytes = questions.reduce((sum, question) => sum + question.size + (question.upload ?? 0), 0);
    const leaves = dice(isLarge ? 8 : 200) === 0;
    // one in four takes large bodies slowly: a pause behind each read
    const pauseMs = isLarge && number % 4 === 0 ? 1 + dice(3) : 0;
    const leaveAfter = leaves ? dice(bytes + 1) : Number.POSITIVE_INFINITY;
    // who leaves may harm others: an upstream connection goes with the request
    if (leaves) options.tally.hazards++;
    await visitor.ask(questions, { leaveAfter, pauseMs });
    if (dice(50) === 0) visitor.hangUp();
    isLarge = dice(options.largeOneIn) === 0;
  }
  visitor.hangUp();
}

function largeQuestion(dice: (below: number) => number, nonce: string): Question {
  const size = mebibyte + dice(7 * mebibyte + 1);
  if (dice(3) === 0) return { act: 'length', size: dice(smallBytes), upload: size, nonce };
  const framings: readonly SoundAct[] = ['length', 'chunked', 'close'];
  return { act: framings[dice(framings.length)] ?? 'length', size, upload: null, nonce };
}

function smallBatch(
  dice: (below: number) => number,
  nonce: () => string,
  { troubleOneIn, troubles }: VisitOptions,
): Question[] {
  const count = dice(2) === 0 ? 1 : 1 + dice(mostPipelined);
  const questions: Question[] = [];
  for (let index = 0; index < count; index++) {
    const isTrouble = dice(troubleOneIn) === 0;
    const all: readonly Act[] = isTrouble ? troubles : ['length', 'length', 'chunked'];
    const act = all[dice(all.length)] ?? 'length';
    // only the last one of a batch may have a body, and a request with one is never sent twice
    const uploads = index === count - 1 && dice(10) === 0;
    questions.push({ act, size: 2 + dice(smallBytes), upload: uploads ? 1 + dice(smallBytes) : null, nonce: nonce() });
  }
  return questions;
}
