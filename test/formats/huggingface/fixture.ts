/**
 * Folders of the fixtures with changes.
 * @module
 */
import { readFileSync } from "node:fs";
import type { Checkpoint } from "../../../src/formats/checkpoint.ts";
import { readHuggingFace } from "../../../src/formats/huggingface/folder.ts";
import { fixtureFiles, fixtures, memoryFiles } from "../helpers.ts";

export type Config = Record<string, unknown>;
export const configOf = (model: string, name = "config.json"): Config =>
  JSON.parse(readFileSync(`${fixtures}${model}/${name}`, "utf8"));

/** Reads a fixture with changes to its config (undefined deletes a key) and its other files. */
export function read(
  model: string,
  changes: Config = {},
  files: Record<string, Uint8Array | string | undefined> = {},
  name = "config.json",
): Promise<Checkpoint> {
  const config = JSON.stringify({ ...configOf(model, name), ...changes });
  return readHuggingFace(memoryFiles({ ...fixtureFiles(model), "config.json": config, ...files }));
}
