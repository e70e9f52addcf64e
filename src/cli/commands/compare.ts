/**
 * `nibble compare`: what quantisation costs, as one table: sizes, divergence on a text, and scores on benchmarks.
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type WeightType, weightTypeNames } from "../../../weights-tools/types/weight-types.ts";
import { type Command, defineCommand } from "../command.ts";
import { comparisonTable, type Measured, measure, type Variant } from "../eval/comparison.ts";
import { ANSWER_LENGTH, type Flag, missing, number, repeated, text } from "../flags.ts";
import { jsonFlag, offlineFlag, runtimeFlags } from "../model.ts";
import { note, printJson, printLines } from "../output.ts";
import { runNibble } from "../run-nibble.ts";

const typesFlag: Flag<WeightType[]> = {
  names: ["--types"],
  placeholder: "TYPE,...",
  expected: `one or more of ${weightTypeNames.join(", ")}, separated by commas`,
  help: "write each model in these types and compare them with it; without it, the first model is what the others are compared with",
  read(value) {
    const types = value.split(",").map((name) => weightTypeNames.find((type) => type === name.toLowerCase()));
    return types.every((type) => type !== undefined) ? (types as WeightType[]) : undefined;
  },
};

export const compare: Command = defineCommand({
  name: "compare",
  usage: "[TASK]...",
  positionals: [0, 64],
  about: `Shows what quantisation costs: for each model its size, the perplexity of a text, the divergence from the reference
(Kullback-Leibler, nats per token) with how often both put the same token first, and its scores on each TASK of \`nibble eval\`
with their standard errors. It runs \`nibble convert\`, \`nibble perplexity\` and \`nibble eval\`, which show more of each.
A model that is quantised already is compared with the file that is there, not with the float weights behind it.`,
  flags: {
    models: repeated<string>({
      names: "-m, --model",
      placeholder: "MODEL",
      expected: "a model",
      help: "as for nibble run; may come more than once",
      read: (value) => value,
    }),
    types: typesFlag,
    taskFiles: repeated<string>({
      names: "--task",
      placeholder: "FILE",
      expected: "a file",
      help: "a task of your own, as for nibble eval",
      read: (value) => value,
    }),
    file: text("-f, --file", "FILE", "the text whose tokens are predicted"),
    data: text("--data", "PATH", "the data of the tasks, as for nibble eval"),
    limit: number("--limit", "N", { min: 1, integer: true }, "only the first N rows of each task"),
    shots: number("--num-fewshot", "N", { min: 0, max: 1024, integer: true }, "examples per prompt"),
    predict: number(ANSWER_LENGTH, "N", { min: 1, integer: true }, "most tokens of a generated answer"),
    threads: runtimeFlags.threads,
    kv: runtimeFlags.kv,
    out: text(
      "-o, --output",
      "DIR",
      "keep the files of nibble eval and the models there; a run that was ended goes on",
    ),
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals: tasks }) {
    const { models = [], types, file, out, json } = flags;
    if (models.length === 0) throw missing("a model", "name it by -m");
    if (file === undefined) throw missing("a text", "name its file by -f");
    if (!types && models.length < 2)
      throw missing("something to compare with", "give --types, or a second model by -m");
    const shared = flagsOf({ "-t": flags.threads, "--kv": flags.kv });
    const { data, limit, shots, predict } = flags;
    const own = (flags.taskFiles ?? []).flatMap((path) => ["--task", path]);
    const settings = flagsOf({ "--data": data, "--limit": limit, "--num-fewshot": shots, "-n": predict });
    const folder = out ?? mkdtempSync(join(tmpdir(), "nibble-compare-"));
    mkdirSync(folder, { recursive: true });
    const rows: Measured[] = [];
    try {
      for (const variant of variantsOf(models, types, folder)) {
        note(`nibble: ${variant.name}, ${variant.type ?? "as it is"}`);
        if (variant.type && !existsSync(variant.model)) await convert(variant);
        const evaluation =
          tasks.length + own.length === 0
            ? []
            : ["eval", ...tasks, ...own, ...settings, ...shared, "-o", join(folder, variant.label)];
        rows.push(await measure(variant, { text: file, shared, evaluation }));
        if (variant.type && out === undefined) rmSync(variant.model);
      }
    } finally {
      if (out === undefined) rmSync(folder, { recursive: true, force: true });
    }
    await (json ? printJson(rows) : printLines(comparisonTable(rows)));
  },
});

/** Each model with its types after it, or the models in the order in which they were named. */
function variantsOf(models: readonly string[], types: readonly WeightType[] | undefined, folder: string): Variant[] {
  const labelOf = (model: string): string => model.replace(/[^\w.-]+/g, "_");
  const [first] = models;
  return models.flatMap((model) => {
    const label = labelOf(model);
    const reference = types ? undefined : first;
    const plain: Variant = {
      name: model,
      label,
      model,
      ...(reference !== undefined && reference !== model && { reference }),
    };
    const others = (types ?? []).map((type): Variant => {
      const own = `${label}-${type}`;
      return { name: model, label: own, model: join(folder, `${own}.gguf`), type, reference: model };
    });
    return [plain, ...others];
  });
}

async function convert({ reference, model, type }: Variant): Promise<void> {
  await runNibble(["convert", reference!, model, "--type", type!]);
}

function flagsOf(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
}
