// Finds the files of the demo that are not code, in the repository and in an installed package alike.
// They lie in config/demo of the package. This module may run as source or from dist, at different depths below that folder.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Absolute paths of the demo's files. */
export interface DemoFiles {
  /** Folder of `master.m3u8`. */
  readonly clip: string;
  /** Folder with the player page, its script and captions, and the style sheet of both sites. */
  readonly pages: string;
  /** The browser build of hls.js. */
  readonly player: string;
}

/** Finds the files. @throws Error when the package is not complete */
export function findDemoFiles(): DemoFiles {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const clip = join(folder, 'config', 'demo', 'clip');
    if (existsSync(join(clip, 'master.m3u8'))) {
      const player = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
      return { clip, pages: join(folder, 'config', 'demo', 'pages'), player };
    }
  }
  throw new Error('the clip of the demo is missing (hint: config/demo/clip belongs to the package, install it again)');
}
