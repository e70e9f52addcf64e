/**
 * `nibble split`: writes one GGUF as several files.
 * @module
 */
import { rm } from "node:fs/promises";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { planSplit, type SplitPlan, shardNames, writeShard } from "../../../weights-tools/split.ts";
import { type Command, defineCommand } from "../command.ts";
import { conflict, type Flag, number } from "../flags.ts";
import { jsonFlag, offlineFlag, withCheckpoint } from "../model.ts";
import { printJson, printLines, size } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";
import { Progress } from "../progress.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1e3],
  ["m", 1e6],
  ["g", 1e9],
]);

/** Sizes as llama.cpp's gguf-split takes them: `500M` and `2G` mean powers of ten. */
const maxSize: Flag<number> = {
  names: ["--split-max-size"],
  placeholder: "SIZE",
  expected: "a size such as 500M or 2G",
  help: "most bytes of weights in a shard, such as 500M or 2G",
  read(text) {
    const [, amount, unit] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
    const bytes = Number(amount) * (UNITS.get(unit?.toLowerCase() ?? "") ?? Number.NaN);
    return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
  },
};

export const split: Command = defineCommand({
  name: "split",
  usage: "SOURCE PREFIX",
  positionals: [2, 2],
  about: `Writes the GGUF file SOURCE as PREFIX-00001-of-0000N.gguf and so on, as llama.cpp names them; a program
opens the first one. The first is written last, so where it exists, all exist. A tensor is never divided.`,
  flags: {
    maxSize,
    maxTensors: number(
      "--split-max-tensors",
      "N",
      { min: 1, integer: true },
      "most tensors in a shard (default 128, unless a size is given)",
    ),
    force: forceFlag,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals }) {
    const [source, prefix] = positionals as [string, string];
    const { maxSize, maxTensors = 128 } = flags;
    if (maxSize !== undefined && flags.maxTensors !== undefined)
      throw conflict("--split-max-size", "--split-max-tensors", "each decides where the file is cut");
    const shards = await withCheckpoint(source, async (checkpoint) => {
      const plan = planSplit(checkpoint, maxSize === undefined ? { tensors: maxTensors } : { bytes: maxSize });
      const names = shardNames(prefix, plan.shards.length);
      for (const name of names) checkOutput(name, flags.force, [source]);
      const progress = new Progress(`splitting ${source}`);
      return writeShards(plan, names, progress).finally(() => progress.end());
    });
    if (flags.json) return printJson({ shards });
    await printLines(
      shards.map(({ file, bytes, tensors }) => `${file}  ${tensors} tensors, ${size(bytes)}\n`).join(""),
    );
  },
});

interface Shard {
  readonly file: string;
  readonly bytes: number;
  readonly tensors: number;
}

/** Writes the shards, the first one last. Where one fails, those before it are deleted. */
async function writeShards(plan: SplitPlan, names: readonly string[], progress: Progress): Promise<Shard[]> {
  const written: Shard[] = [];
  try {
    for (const [i, file] of [...names.entries()].reverse()) {
      const bytes = await writeFileAtomically(file, (sink) => writeShard(plan, i, sink));
      written.unshift({ file, bytes, tensors: plan.shards[i]!.length });
      progress.update(written.length, names.length);
    }
  } catch (error) {
    for (const { file } of written) await rm(file, { force: true });
    throw error;
  }
  return written;
}
