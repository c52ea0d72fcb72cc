/**
 * What a long command says while it works, on stderr: on a terminal a bar with rate and time left, elsewhere plain lines at intervals that
 * neither flood a log nor leave it silent. Every finished stage leaves one line with its time.
 */
import type { SingleBar } from 'cli-progress';
import { bytes, count, duration } from './quantities.js';
import { truncate } from './text-width.js';

/** Where progress is written; process.stderr in the command. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** A plain line first after this many seconds of a stage, and then at this interval. */
const plainInterval = 10;

export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #stage: { name: string; began: number; lastLine: number; completed: number | undefined } | undefined;
  /** When the stage before was complete. */
  #free: number | undefined;
  #bar: SingleBar | undefined;
  #barClass: typeof SingleBar | undefined;

  /** @param now seconds, for tests */
  constructor(stream: ProgressStream = process.stderr, now: () => number = () => performance.now() / 1000) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Loads the bar where there is a terminal to draw it on. */
  async prepare(): Promise<void> {
    if (this.#stream.isTTY === true) this.#barClass = (await import('cli-progress')).default.SingleBar;
  }

  /**
   * Begins a stage, ending the one before. Its time counts from the moment the one before was complete: a stage becomes known by its first
   * report, and the work up to there was its own.
   */
  begin(name: string): void {
    this.end();
    const now = this.#now();
    this.#stage = { name, began: this.#free ?? now, lastLine: now, completed: undefined };
    if (this.#barClass === undefined) return;
    this.#bar = new this.#barClass({
      stream: this.#stream,
      format: '  {stage}  [{bar}] {percentage}%  {rate}  {left}',
      barsize: 24,
      barCompleteChar: '=',
      barIncompleteChar: ' ',
      fps: 10,
      clearOnComplete: true,
      emptyOnZero: true,
    });
    this.#bar.start(0, 0, { stage: truncate(name, 40), rate: '', left: '' });
  }

  /**
   * How far the stage is.
   * @param total 0 while it is not known
   * @param unit what is counted, in the plural; `bytes` are shown as such
   */
  update(done: number, total: number, unit?: string): void {
    const stage = this.#stage;
    if (stage === undefined) return;
    const now = this.#now();
    stage.completed = total > 0 && done >= total ? now : undefined;
    const elapsed = now - stage.began;
    const perSecond = elapsed > 0 ? done / elapsed : 0;
    const left = total > done && perSecond > 0 && elapsed > 1 ? `${duration((total - done) / perSecond)} left` : '';
    if (this.#bar !== undefined) {
      this.#bar.setTotal(total);
      this.#bar.update(done, { rate: rateText(perSecond, unit), left });
    } else if (now - stage.lastLine >= plainInterval) {
      stage.lastLine = now;
      const percent = total > 0 ? `${Math.floor((100 * done) / total)} %` : amount(done, unit);
      this.#line(
        `  ${[`${stage.name}: ${percent}`, rateText(perSecond, unit), left].filter((part) => part !== '').join(', ')}`,
      );
    }
  }

  /** Ends the stage with one line that says how long it took. */
  end(note = ''): void {
    const stage = this.#stage;
    if (stage === undefined) return;
    this.#stage = undefined;
    this.#stopBar();
    this.#free = stage.completed ?? this.#now();
    const took = duration(this.#free - stage.began);
    this.#line(`  ${stage.name}${note === '' ? '' : `: ${note}`} (${took})`);
  }

  /** Takes the bar away without the closing line: the stage failed, and an error message follows. */
  abandon(): void {
    this.#stage = undefined;
    this.#stopBar();
  }

  #stopBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #line(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}

function amount(value: number, unit: string | undefined): string {
  if (unit === 'bytes') return bytes(Math.round(value));
  return unit === undefined ? count(Math.round(value)) : `${count(Math.round(value))} ${unit}`;
}

function rateText(perSecond: number, unit: string | undefined): string {
  if (perSecond <= 0) return '';
  const rounded = perSecond >= 10 ? Math.round(perSecond) : Number(perSecond.toPrecision(2));
  return `${unit === 'bytes' ? bytes(rounded) : amountPrecise(rounded, unit)}/s`;
}

function amountPrecise(value: number, unit: string | undefined): string {
  return unit === undefined ? count(value) : `${count(value)} ${unit}`;
}
