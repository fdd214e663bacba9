// Lets one request begin in each turn of the event loop. A page is some synchronous work, and hundreds that come at once would
// be done in one turn: meanwhile no edge would be told that its index is fresh, and none would be heard that confirms.
// It limits nothing and refuses nobody: whoever comes waits for its turn.

/** @returns what to wait for before a request is worked on */
export function oneATurn(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()?.();
    // an immediate that is asked for here comes after timers and sockets had their turn
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next);
    });
}
