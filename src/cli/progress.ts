/**
 * Shows on stderr the progress of a slow operation: a bar on a terminal, a few lines elsewhere, and nothing if it ends
 * quickly.
 * @module
 */
import { note, size } from "./output.ts";

const QUICK_MS = 1000;
const REDRAW_MS = 100;
const CELLS = 30;

/** Milliseconds after which another line is written where there is no terminal. */
const LINE_MS = 60_000;

export class Progress {
  readonly #title: string;
  readonly #unit: string | undefined;
  readonly #rate: Rate | undefined;
  readonly #tokenRate: Rate | undefined;
  readonly #bar: boolean = process.stderr.isTTY === true;
  readonly #start = performance.now();
  #drawn = 0;
  #lined = this.#start;
  #quarters = 0;

  /** @param unit of what is done, such as bytes or requests: they are shown with their rate and the time that is left */
  constructor(title: string, unit?: string) {
    this.#title = title;
    this.#unit = unit;
    if (!unit) return;
    this.#rate = new Rate(unit === "bytes" ? BYTES_WINDOW_MS : WINDOW_MS);
    this.#tokenRate = new Rate(WINDOW_MS);
  }

  /** @param tokens that were generated so far, where that is known */
  update(done: number, total: number, tokens = 0): void {
    const now = performance.now();
    this.#rate?.add(now, done);
    this.#tokenRate?.add(now, tokens);
    if (now - this.#start < QUICK_MS || total === 0) return;
    const share = done / total;
    if (this.#bar) {
      if (now - this.#drawn < REDRAW_MS) return;
      this.#drawn = now;
      const rest = `] ${Math.floor(100 * share)} %${this.#figures(done, total)}`;
      // A line that wraps cannot be drawn over.
      const room = (process.stderr.columns || 80) - 1;
      const cells = Math.max(5, Math.min(CELLS, room - this.#title.length - 2 - rest.length));
      const full = Math.floor(share * cells);
      const line = `${this.#title} [${"#".repeat(full)}${".".repeat(cells - full)}${rest}`;
      process.stderr.write(`\r${line.slice(0, room)}\x1b[K`);
      return;
    }
    const quarters = Math.floor(4 * share);
    if (quarters > this.#quarters || (this.#unit && now - this.#lined > LINE_MS)) {
      this.#lined = now;
      note(`${this.#title}: ${Math.floor(100 * share)} %${this.#figures(done, total)}`);
    }
    this.#quarters = quarters;
  }

  /** `, 48.1 MB of 105 MB, 12.3 MB/s, 5 s left` or `, 12 of 164 rows, 0.8 rows/s, 35 tokens/s, 3 min 10 s left` */
  #figures(done: number, total: number): string {
    if (!this.#unit) return "";
    const bytes = this.#unit === "bytes";
    const amount = bytes ? `${size(done)} of ${size(total)}` : `${count(done)} of ${count(total)} ${this.#unit}`;
    const [rate, tokens] = [this.#rate?.perSecond, this.#tokenRate?.perSecond];
    const figures = [
      amount,
      rate && (bytes ? `${size(rate)}/s` : `${count(rate)} ${this.#unit}/s`),
      tokens && `${Math.round(tokens)} tokens/s`,
      rate && `${duration((total - done) / rate)} left`,
    ];
    return `, ${figures.filter(Boolean).join(", ")}`;
  }

  /** Wipes the bar. */
  end(): void {
    if (this.#drawn > 0) process.stderr.write("\r\x1b[K");
    this.#drawn = 0;
  }
}

/**
 * The last milliseconds over which a rate is taken, so that what an earlier run or attempt did does not count. One answer can
 * take longer than many bytes do.
 */
const BYTES_WINDOW_MS = 5000;
const WINDOW_MS = 60_000;

class Rate {
  readonly #windowMs: number;
  readonly #samples: { readonly at: number; readonly done: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last && at - last.at < REDRAW_MS) return;
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at > this.#windowMs) this.#samples.shift();
  }

  /** Undefined where nothing was done in the window. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first && last && last.done > first.done
      ? (1000 * (last.done - first.done)) / (last.at - first.at)
      : undefined;
  }
}

function count(amount: number): string {
  return Number.isInteger(amount) || amount >= 100 ? String(Math.round(amount)) : amount.toPrecision(2);
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
