// Lets one request begin in each turn of the event loop. Rendering a page is synchronous work, and hundreds of requests that arrive at once
// would all be served in one turn. Meanwhile control could send no heartbeat to the edges and hear no confirmation from them.
// No request is limited or refused: each waits for its turn.

/** @returns a function whose promise resolves when the next request may begin; call it once for each request */
export function oneATurn(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()?.();
    // an immediate that is set inside an immediate runs in the next turn, after timers and sockets
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next);
    });
}
