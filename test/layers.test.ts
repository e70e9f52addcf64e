/**
 * The table "Layers" of ARCHITECTURE.md, held against the imports: a module imports only from its own folder and from
 * those in rows below it. Circles of imports between files are biome's `noImportCycles`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { root } from "./helpers/models.ts";

/** Folders from the top row to the lowest; folders of one row do not import each other. */
const rows = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")
  .split(/^## /m)
  .find((section) => section.startsWith("Layers\n"))!
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => [...line.split("|")[1]!.matchAll(/`([^`]+)\/`/g)].map(([, folder]) => folder!));
const rowOf = new Map(rows.flatMap((folders, row) => folders.map((folder) => [folder, row] as const)));

/** The innermost folder of the table that holds a file. */
function layer(path: string): string | undefined {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) if (rowOf.has(folder)) return folder;
  return undefined;
}

const files = ["src", "weights-tools"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

/** The files of the repository that a file imports, statically or not, as a type or a value. */
function imports(file: string): string[] {
  const specifiers = readFileSync(join(root, file), "utf8").matchAll(/(?:from|import|import\()\s*"(\.[^"]+\.ts)"/g);
  return [...specifiers].map(([, name]) => relative(root, join(root, dirname(file), name!)));
}

/** The imports that ARCHITECTURE's table does not allow. */
function forbidden(file: string, imported: readonly string[]): string[] {
  const from = layer(file);
  if (from === undefined) return [`${file} is in no folder of the table`];
  return imported
    .filter((target) => layer(target) !== from && !(rowOf.get(layer(target) ?? "")! > rowOf.get(from)!))
    .map((target) => `${file} imports ${target}`);
}

it("every module imports from its own folder and from rows below", () => {
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap((file) => forbidden(file, imports(file)))).toEqual([]);
});

it("an import upwards, or of a folder in the same row, is found", () => {
  expect(forbidden("src/base/json.ts", ["src/io/byte-source.ts"])).toHaveLength(1);
  expect(forbidden("src/server/handler.ts", ["src/cli/main.ts"])).toHaveLength(1);
  expect(forbidden("src/engine/model.ts", ["src/base/errors.ts", "src/engine/lora.ts"])).toEqual([]);
});
