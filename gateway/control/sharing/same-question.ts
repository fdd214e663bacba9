// Lets the very same question that is asked several times at once be answered once. A person who presses a button twice, or whose browser sends
// a form again, proves one thing: 64 equal requests cost one check of a password, and all get one answer. An error is nobody's verdict: whoever
// waited for one asks for themselves (Traefik CVE-2026-71326).

const asked = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * @param owner   questions of different owners are never the same: the queue of passwords of a process
 * @param digest  of everything that the answer depends on, secrets included
 * @param answer  run for the first of them; all get its outcome
 */
export async function answerOnce<T>(owner: object, digest: string, answer: () => Promise<T>): Promise<T> {
  const questions = asked.get(owner) ?? new Map<string, Promise<unknown>>();
  asked.set(owner, questions);
  const running = questions.get(digest);
  if (running !== undefined) {
    // equal digests are equal questions, so the answer has the type of this one
    return await (running as Promise<T>).catch(() => answer());
  }
  const begun = answer().finally(() => questions.delete(digest));
  questions.set(digest, begun);
  return await begun;
}
