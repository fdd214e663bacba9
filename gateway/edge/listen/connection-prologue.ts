// Reads what a connection says before its protocol begins, and hands the socket on with every further byte in place.
// It understands none of it: the caller says when enough is there. Bounded in bytes by the caller, in time by the ticker.

import type { Socket } from 'node:net';
import type { Deadlined, Ticker } from '../engine/ticker.ts';

/** `partial`: more is needed. `refuse`: end the connection. `answered`: `judge` wrote an answer and ends the socket itself. A number: go on, behind that many bytes. */
type PrologueVerdict = 'partial' | 'refuse' | 'answered' | number;

interface PrologueOptions {
  readonly socket: Socket;
  readonly ticker: Ticker;
  readonly timeoutMs: number;
  /** Judges everything that came so far. Has to refuse at some length. */
  readonly judge: (bytes: Buffer) => PrologueVerdict;
  /** The socket is paused then; what was not taken is read from it first. */
  readonly onDone: () => void;
  /** It ended early, was refused or took too long; the socket is destroyed. */
  readonly onRefused: () => void;
}

/** Reads a connection prologue. The socket needs a listener for `error` of the caller's. */
export function readPrologue(options: PrologueOptions): void {
  const { socket, ticker } = options;
  let held: Buffer | null = null;
  const watch: Deadlined = {
    deadlineMs: ticker.nowMs + options.timeoutMs,
    onDeadline: () => refuse(),
  };
  const stop = (): void => {
    ticker.unwatch(watch);
    socket.off('data', onData).off('end', refuse).off('close', refuse);
  };
  const refuse = (): void => {
    stop();
    socket.destroy();
    options.onRefused();
  };
  const onData = (chunk: Buffer): void => {
    const bytes = held === null ? chunk : Buffer.concat([held, chunk]);
    const verdict = options.judge(bytes);
    if (verdict === 'partial') {
      held = bytes;
      return;
    }
    if (verdict === 'answered') {
      stop();
      options.onRefused();
      return;
    }
    if (verdict === 'refuse') {
      refuse();
      return;
    }
    stop();
    socket.pause();
    if (verdict < bytes.length) socket.unshift(bytes.subarray(verdict));
    options.onDone();
  };
  ticker.watch(watch);
  socket.on('data', onData).on('end', refuse).on('close', refuse);
  // a prologue before this one may have left it paused
  socket.resume();
}
