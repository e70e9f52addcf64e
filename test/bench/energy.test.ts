import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openEnergy } from "../../bench/energy.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-powercap-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("counts the joules of all packages, across the end of a counter", () => {
  const set = (zone: string, energy: number): void => {
    mkdirSync(join(folder, zone), { recursive: true });
    writeFileSync(join(folder, zone, "energy_uj"), `${energy}\n`);
    writeFileSync(join(folder, zone, "max_energy_range_uj"), "10000000\n");
  };
  set("intel-rapl:0", 9_000_000);
  set("intel-rapl:1", 1_000_000);
  set("intel-rapl:0:0", 5_000_000);
  const joules = openEnergy(folder) as () => number;
  expect(joules()).toBe(0);
  set("intel-rapl:0", 500_000);
  set("intel-rapl:1", 2_000_000);
  set("intel-rapl:0:0", 9_000_000);
  expect(joules()).toBe(2.5);
});

test("says why there are none", () => {
  expect(openEnergy(join(folder, "missing"))).toMatch(/^joules: .*ENOENT/);
  expect(openEnergy(tmpdir())).toMatch(/no counters/);
});
