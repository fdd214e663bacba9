// The line that tells what a run is doing: rewritten in place on a terminal, one line for each step elsewhere.

interface Progress {
  show(text: string): void;
  /** Removes the line before other output. */
  clear(): void;
}

/** Makes a progress line. @param output  standard error, so that standard output holds only the table */
export function makeProgress(output: NodeJS.WriteStream): Progress {
  if (!output.isTTY) return { show: (text) => output.write(`${text}\n`), clear: () => undefined };
  return {
    show: (text) => output.write(`\r\x1b[2K${text.slice(0, (output.columns ?? 80) - 1)}`),
    clear: () => output.write('\r\x1b[2K'),
  };
}
