// Measures CPU per request and per MiB side by side: all proxies run at once and are loaded in turn, a window each, again and again.
// A shared machine behaves alike within seconds but not within minutes, so quotients are taken turn by turn.
// A window has to be long enough that new connections and cold caches do not matter.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import type { BodySize } from '../workload/bodies.ts';
import { type Figures, judgeWindow, perMebibyte } from './figures.ts';
import { saturate } from './load.ts';
import { readCpuMicroseconds } from './proc-tree.ts';
import { noFigures, readSaturation, type Setting } from './visit.ts';

/** The results of one proxy's turns: one entry of `figures` for each turn, unless there is a problem. */
export interface Turns {
  readonly figures: Figures[];
  problem: string | null;
}

/**
 * Starts all proxies, loads them in turns, and ends them.
 *
 * @param turns    number of turns; each proxy has a window in each
 * @param step     called with one line for each step
 * @param sizesOf  body sizes that a proxy is loaded with in each turn, with a window for each
 * @param after    called for each proxy after all turns, while it still runs
 */
export async function takeTurns(
  peers: readonly Peer[],
  setting: Setting,
  turns: number,
  step: (text: string) => void,
  sizesOf: (peer: Peer) => readonly BodySize[] = () => ['1k'],
  after: (peer: Peer, running: RunningPeer) => void = () => undefined,
): Promise<Map<Peer, Turns>> {
  const running = new Map<Peer, RunningPeer>();
  const taken = new Map<Peer, Turns>(peers.map((peer) => [peer, { figures: [], problem: null }]));
  try {
    for (const peer of peers) {
      step(`starts ${peer.title}`);
      const started = await startPeer(peer, setting);
      running.set(peer, started);
      for (const size of sizesOf(peer)) await load(peer, started, setting, size, setting.warmSeconds);
    }
    for (let turn = 1; turn <= turns; turn++) {
      for (const [peer, started] of running) {
        const entry = taken.get(peer);
        if (entry === undefined || entry.problem !== null) continue;
        step(`turn ${turn}/${turns}: ${peer.title}`);
        let figures = noFigures;
        for (const size of sizesOf(peer)) {
          const before = readCpuMicroseconds(started.process.pid);
          const result = await load(peer, started, setting, size, setting.seconds);
          const used = readCpuMicroseconds(started.process.pid);
          entry.problem ??= judgeWindow(result, size);
          const cpuUs = before === null || used === null ? null : used - before;
          figures =
            size === '1k'
              ? { ...figures, ...readSaturation({ result, cpuUs }) }
              : { ...figures, cpuPerMiBUs: perMebibyte(cpuUs, result.completed, size) };
        }
        entry.figures.push(figures);
      }
    }
    for (const [peer, started] of running) after(peer, started);
  } finally {
    for (const started of running.values()) await started.process.stop();
  }
  return taken;
}

function startPeer(peer: Peer, setting: Setting): Promise<RunningPeer> {
  const folder = mkdtempSync(join(setting.folder, `${peer.name}-turns-`));
  mkdirSync(join(folder, 'files'));
  return peer.start({
    folder: join(folder, 'files'),
    backendPort: setting.backendPort,
    plan: setting.plan,
    secret: setting.workload.secret,
    accessLog: setting.accessLogs ? join(folder, 'access.log') : null,
  });
}

function load(peer: Peer, started: RunningPeer, setting: Setting, size: BodySize, seconds: number) {
  return saturate(setting.generator, setting.plan, {
    port: started.port,
    requestsFile: setting.requestsFile(peer.form, size),
    ...(peer.tokens === undefined ? {} : { tokensFile: setting.tokensFile(peer.tokens) }),
    connections: setting.connections,
    seconds,
  });
}
