/**
 * Shows on stderr the progress of a slow operation: a bar on a terminal, a few lines elsewhere, and nothing if it ends
 * quickly.
 * @module
 */
import { note, size } from "./output.ts";

const QUICK_MS = 1000;
const REDRAW_MS = 100;
const CELLS = 30;

export class Progress {
  readonly #title: string;
  readonly #rate: Rate | undefined;
  readonly #bar: boolean = process.stderr.isTTY === true;
  readonly #start = performance.now();
  #drawn = 0;
  #quarters = 0;

  /** @param unit of what is done, such as bytes or requests: they are shown with their rate and the time that is left */
  constructor(title: string, unit?: string) {
    this.#title = title;
    if (unit) this.#rate = new Rate(unit);
  }

  update(done: number, total: number): void {
    const now = performance.now();
    this.#rate?.add(now, done);
    if (now - this.#start < QUICK_MS || total === 0) return;
    const share = done / total;
    if (this.#bar) {
      if (now - this.#drawn < REDRAW_MS) return;
      this.#drawn = now;
      const rest = `] ${Math.floor(100 * share)} %${this.#rate?.describe(now, done, total) ?? ""}`;
      // A line that wraps cannot be drawn over.
      const room = (process.stderr.columns || 80) - 1;
      const cells = Math.max(5, Math.min(CELLS, room - this.#title.length - 2 - rest.length));
      const full = Math.floor(share * cells);
      const line = `${this.#title} [${"#".repeat(full)}${".".repeat(cells - full)}${rest}`;
      process.stderr.write(`\r${line.slice(0, room)}\x1b[K`);
      return;
    }
    const quarters = Math.floor(4 * share);
    const rate = this.#rate?.describe(now, done, total) ?? "";
    if (quarters > this.#quarters) note(`${this.#title}: ${25 * quarters} %${rate}`);
    this.#quarters = quarters;
  }

  /** Wipes the bar. */
  end(): void {
    if (this.#drawn > 0) process.stderr.write("\r\x1b[K");
    this.#drawn = 0;
  }
}

/** Milliseconds over which a rate is taken. One answer can take longer than many bytes do. */
const BYTES_WINDOW = 5000;
const OTHER_WINDOW = 60_000;

/** What is done per second, over the last seconds, so that what an earlier attempt did does not count. */
class Rate {
  #samples: { readonly at: number; readonly done: number }[] = [];
  readonly #unit: string;
  readonly #window: number;

  constructor(unit: string) {
    this.#unit = unit;
    this.#window = unit === "bytes" ? BYTES_WINDOW : OTHER_WINDOW;
  }

  add(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last && at - last.at < REDRAW_MS) return;
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at > this.#window) this.#samples.shift();
  }

  /** `, 48.1 MB of 105 MB, 12.3 MB/s, 5 s left`, or `, 25 of 60 requests, 2.4/s, 15 s left` */
  describe(now: number, done: number, total: number): string {
    const isBytes = this.#unit === "bytes";
    const show = isBytes ? size : count;
    const amount = `, ${show(done)} of ${show(total)}${isBytes ? "" : ` ${this.#unit}`}`;
    const first = this.#samples[0];
    if (!first || now <= first.at || done <= first.done) return amount;
    const rate = (1000 * (done - first.done)) / (now - first.at);
    return `${amount}, ${show(rate)}/s, ${duration((total - done) / rate)} left`;
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
