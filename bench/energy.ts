/**
 * Counts the joules of the processor packages, where Linux offers the counters of RAPL to this user.
 * Source: Documentation/power/powercap/powercap.rst of the Linux kernel.
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const POWERCAP = "/sys/class/powercap";

/**
 * A function that returns joules since some moment.
 * @returns the reason instead, if the machine does not tell
 */
export function openEnergy(folder: string = POWERCAP): (() => number) | string {
  let zones: Zone[];
  try {
    // A zone such as `intel-rapl:0` is a package; `intel-rapl:0:0` is a part of it.
    zones = readdirSync(folder)
      .filter((name) => /^intel-rapl:\d+$/.test(name))
      .map((name) => new Zone(join(folder, name)));
  } catch (error) {
    return `joules: ${(error as Error).message}`;
  }
  if (zones.length === 0) return `joules: ${folder} has no counters of a processor package`;
  return () => zones.reduce((sum, zone) => sum + zone.joules(), 0);
}

/** A package's counter, which begins again at 0 after its largest value. */
class Zone {
  readonly #file: string;
  readonly #range: number;
  #last: number;
  #total = 0;

  constructor(folder: string) {
    this.#file = join(folder, "energy_uj");
    this.#range = read(join(folder, "max_energy_range_uj"));
    this.#last = read(this.#file);
  }

  joules(): number {
    const now = read(this.#file);
    this.#total += now >= this.#last ? now - this.#last : now + this.#range - this.#last;
    this.#last = now;
    return this.#total / 1e6;
  }
}

const read = (file: string): number => Number(readFileSync(file, "utf8"));
