// Types of runtime.mjs, which is plain JavaScript because Node 20 has to run it. What each does is said there.

/** The part of `process` that is asked about. */
export interface RunningNode {
  readonly version: string;
  readonly execPath: string;
  readonly platform: string;
  readonly arch: string;
}

export function isNewEnough(version: string): boolean;
export function nodePackage(running?: Pick<RunningNode, 'platform' | 'arch'>): string;
export function findNode(from: string, running?: RunningNode): string | undefined;
export function describeMissingNode(running?: RunningNode): string;
