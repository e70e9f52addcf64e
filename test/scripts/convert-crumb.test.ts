import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { convertCrumb } from "../../scripts/convert-crumb.ts";
import { converted, crumb, pathOf, sameBytes } from "../weights-tools/helpers.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nibble-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("converts crumb on disk to the same bytes as in memory", async () => {
  const path = join(folder, "crumb.gguf");
  const report = await convertCrumb(pathOf("models/crumb"), path, "q8_0");
  const { bytes } = await converted(await crumb(), { type: "q8_0", name: "crumb" });
  expect(report.bytes).toBe(statSync(path).size);
  expect(sameBytes(readFileSync(path), bytes)).toBe(true);
});
