import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { Progress, type ProgressStream } from '../../src/cli/progress.js';

/** A stream that keeps what is written. */
function recorder(terminal: boolean): { stream: ProgressStream; text: () => string } {
  let text = '';
  const writable = new Writable({
    write(chunk, _encoding, written) {
      text += String(chunk);
      written();
    },
  });
  const stream = Object.assign(writable, { isTTY: terminal, columns: 120 });
  return { stream, text: () => text };
}

/** A clock that stands where it is put. */
function clock(): { now: () => number; at: (seconds: number) => void } {
  let time = 0;
  return {
    now: () => time,
    at: (seconds) => {
      time = seconds;
    },
  };
}

test('without a terminal a stage says something every ten seconds and once at its end', async () => {
  const { stream, text } = recorder(false);
  const time = clock();
  const progress = new Progress(stream, time.now);
  await progress.prepare();
  progress.begin('reading ratings.csv');
  for (let second = 1; second <= 30; second++) {
    time.at(second);
    progress.update(second * 1_000_000, 40_000_000, 'bytes');
  }
  progress.end();
  expect(text().split('\n')).toEqual([
    '  reading ratings.csv: 25 %, 1.0 MB/s, 30 s left',
    '  reading ratings.csv: 50 %, 1.0 MB/s, 20 s left',
    '  reading ratings.csv: 75 %, 1.0 MB/s, 10 s left',
    '  reading ratings.csv (30 s)',
    '',
  ]);
});

test('where the total is not known, the amount is said instead of a share', async () => {
  const { stream, text } = recorder(false);
  const time = clock();
  const progress = new Progress(stream, time.now);
  progress.begin('unpacking');
  time.at(12);
  progress.update(24_000, 0, 'files');
  expect(text()).toBe('  unpacking: 24,000 files, 2,000 files/s\n');
});

test('on a terminal a bar shows rate and time left, and is replaced by the closing line', async () => {
  const { stream, text } = recorder(true);
  const time = clock();
  const progress = new Progress(stream, time.now);
  await progress.prepare();
  progress.begin('fitting cf');
  time.at(10);
  progress.update(5, 15, 'sweeps');
  await vi.waitFor(() => expect(text()).toContain('33%  0.5 sweeps/s  20 s left'));
  progress.end('15 sweeps');
  expect(text().endsWith('  fitting cf: 15 sweeps (10 s)\n')).toBe(true);
});

test('a stage that failed leaves no line that says it ended', () => {
  const { stream, text } = recorder(false);
  const progress = new Progress(stream);
  progress.begin('fitting cf');
  progress.abandon();
  progress.end();
  expect(text()).toBe('');
});

test('the time between a complete stage and the first report of the next one belongs to the next one', () => {
  const { stream, text } = recorder(false);
  const time = clock();
  const progress = new Progress(stream, time.now);
  progress.begin('indexing');
  time.at(3);
  progress.update(100, 100, 'vectors');
  time.at(8);
  progress.begin('measuring recall');
  progress.update(10, 10, 'queries');
  progress.end();
  expect(text()).toBe('  indexing (3.0 s)\n  measuring recall (5.0 s)\n');
});
