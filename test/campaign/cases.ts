/** Failures that campaigns have found, as files below `cases/`: `replay.test.ts` runs them all. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./target.ts";

const folder: string = join(import.meta.dirname, "cases");

/** @returns the path of the file, named by the target and a hash of the input */
export function storeCase(found: Case, into: string = folder): string {
  mkdirSync(into, { recursive: true });
  const hash = createHash("sha256").update(JSON.stringify(found.input)).digest("hex").slice(0, 8);
  const path = join(into, `${found.target.replaceAll(/[/ ]/g, "-")}-${hash}.json`);
  writeFileSync(path, `${JSON.stringify(found, null, 2)}\n`);
  return path;
}

export function storedCases(from: string = folder): { readonly name: string; readonly found: Case }[] {
  if (!existsSync(from)) return [];
  return readdirSync(from)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ name, found: JSON.parse(readFileSync(join(from, name), "utf8")) as Case }));
}
