// Sends the requests of one scenario with autocannon, and judges every answer.
// scenarios.ts says what the right answers are.

import autocannon from 'autocannon';
import { judge, type Scenario } from './scenarios.ts';

/** The outcome of one scenario. */
export interface ScenarioResult {
  readonly title: string;
  readonly answered: number;
  /** Number of answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly requestsPerSecond: number;
  /** In whole milliseconds, since autocannon measures no finer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What was wrong, at most ten entries; empty when every answer was right. */
  readonly problems: readonly string[];
}

const mostProblems = 10;

/** Runs a scenario against a port on loopback. */
export async function runScenario(
  scenario: Scenario,
  port: number,
  connections: number,
  seconds: number,
): Promise<ScenarioResult> {
  const problems: string[] = [];
  const report = (problem: string | null) => {
    if (problem !== null && problems.length < mostProblems) problems.push(problem);
  };
  const statuses: Record<string, number> = {};
  let judged = 0;
  let client = 0;
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: seconds,
    timeout: 10,
    setupClient: (connection) => {
      // each connection starts at another place in the list
      const start = Math.floor((client * scenario.requests.length) / connections);
      client += 1;
      const turned = [...scenario.requests.slice(start), ...scenario.requests.slice(0, start)];
      connection.setRequests(
        turned.map((expected) => ({
          method: 'GET',
          path: expected.path,
          headers: { ...expected.headers },
          onResponse: (status, body) => {
            judged += 1;
            statuses[status] = (statuses[status] ?? 0) + 1;
            report(judge(expected, status, body));
          },
        })),
      );
    },
  });
  if (judged === 0) report('nothing was answered');
  if (result.errors > 0) report(`${result.errors} requests failed, ${result.timeouts} of them timed out`);
  // each connection may have one request under way when the time is up; more missing answers mean lost requests
  const lost = result.requests.sent - result.requests.total - connections;
  if (lost > 0) report(`${lost} requests were never answered`);
  return {
    title: scenario.title,
    answered: judged,
    statuses,
    requestsPerSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    problems,
  };
}
