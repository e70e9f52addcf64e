/**
 * How far something slow has come, on stderr: a bar on a terminal, a few lines elsewhere, nothing if it is quick.
 * @module
 */
import { note } from "./output.ts";

const QUICK_MS = 1000;
const REDRAW_MS = 100;
const CELLS = 30;

export class Progress {
  readonly #title: string;
  readonly #bar: boolean = process.stderr.isTTY === true;
  readonly #start = performance.now();
  #drawn = 0;
  #quarters = 0;

  constructor(title: string) {
    this.#title = title;
  }

  update(done: number, total: number): void {
    const now = performance.now();
    if (now - this.#start < QUICK_MS || total === 0) return;
    const share = done / total;
    if (this.#bar) {
      if (now - this.#drawn < REDRAW_MS) return;
      this.#drawn = now;
      const full = Math.floor(share * CELLS);
      const cells = "#".repeat(full) + ".".repeat(CELLS - full);
      process.stderr.write(`\r${this.#title} [${cells}] ${Math.floor(100 * share)} %`);
      return;
    }
    const quarters = Math.floor(4 * share);
    if (quarters > this.#quarters) note(`${this.#title}: ${25 * quarters} %`);
    this.#quarters = quarters;
  }

  /** Wipes the bar. */
  end(): void {
    if (this.#drawn > 0) process.stderr.write("\r\x1b[K");
    this.#drawn = 0;
  }
}
