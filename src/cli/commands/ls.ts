/**
 * `nibble ls`: lists the models in the cache.
 * @module
 */
import { nodeHub } from "../../hosts/node/hub.ts";
import type { ModelRecord } from "../../hub/cache.ts";
import { fitsWorker, knownFamilies } from "../../hub/families.ts";
import { KNOWN_MODELS, type KnownModel } from "../../hub/registry.ts";
import { type Command, defineCommand } from "../command.ts";
import { toggle } from "../flags.ts";
import { DEFAULT_MODEL, jsonFlag } from "../model.ts";
import { note, printJson, printLines, size } from "../output.ts";

export const ls: Command = defineCommand({
  name: "ls",
  usage: "",
  positionals: [0, 0],
  about:
    "Lists the models, and data sets of nibble eval, that were pulled: name, bytes, licence, date. crumb is inside the package and is always there.",
  flags: { all: toggle("-a, --all", "list every name that can be pulled, by family"), json: jsonFlag },
  async run({ flags }) {
    const { cache } = await nodeHub();
    const records = await cache.records();
    if (flags.json) return printJson(flags.all ? KNOWN_MODELS.map((model) => knownFacts(model, records)) : records);
    if (flags.all) return printLines(byFamily(records));
    if (records.length === 0)
      return note("no model was pulled yet: nibble pull smollm2:135m fetches one, --all lists all names");
    await printLines(table([["name", "size", "licence", "pulled"], ...records.map(pulledRow)]));
  },
});

/** Every name that can be pulled, under a line for each family. */
function byFamily(records: readonly ModelRecord[]): string {
  const families = knownFamilies();
  const lines = table(families.flatMap(({ models }) => models.map((model) => knownRow(model, records)))).split("\n");
  return families
    .map(({ name, goodFor, models }) => {
      const own = lines.splice(0, models.length).map((line) => `  ${line}\n`);
      return `${name}: ${goodFor}\n${own.join("")}`;
    })
    .join("\n");
}

const bytesOf = ({ files }: ModelRecord): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

function pulledRow(record: ModelRecord): string[] {
  return [record.id, size(bytesOf(record)), record.licence ?? "licence unknown", record.pulled.slice(0, 10)];
}

function knownFacts(model: KnownModel, records: readonly ModelRecord[]) {
  const record = records.find(({ id }) => id === model.name);
  return { ...model, pulled: record?.pulled ?? null };
}

function knownRow(model: KnownModel, records: readonly ModelRecord[]): string[] {
  const record = records.find(({ id }) => id === model.name);
  const bytes = record ? bytesOf(record) : model.pinned?.bytes;
  const state = record || model.name === DEFAULT_MODEL ? "here" : model.gated ? "gated: needs HF_TOKEN" : "";
  const remarks = [state, fitsWorker(model)].filter(Boolean).join("; ");
  return [model.name, model.title, bytes === undefined ? "" : size(bytes), model.licence, remarks];
}

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
