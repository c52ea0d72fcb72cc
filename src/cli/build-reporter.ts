import { basename } from 'node:path';
import type { BuildProgress } from '../retrieval/build-progress.js';
import type { Progress } from './progress.js';

/** Shows how far a build is: one bar for every stage. */
export function reportBuild(progress: Progress): (report: BuildProgress) => void {
  let stage = '';
  return (report) => {
    const name = stageName(report);
    if (name !== stage) progress.begin(name);
    stage = name;
    progress.update(report.done, report.total, units[report.stage]);
  };
}

function stageName({ stage, space, subject: path }: BuildProgress): string {
  const of = space === undefined ? '' : `${space}: `;
  const subject = basename(path);
  switch (stage) {
    case 'download':
      return `downloading ${subject}`;
    case 'read':
      return `reading ${subject}`;
    case 'embedding':
      return `${of}fitting ${subject}`;
    case 'index':
      return `${of}indexing ${subject}`;
    case 'recall':
      return `${of}measuring recall of ${subject}`;
    case 'write':
      return 'writing';
  }
}

const units = {
  download: 'bytes',
  read: 'bytes',
  embedding: undefined,
  index: 'vectors',
  recall: 'queries',
  write: 'files',
} as const;
