/**
 * `nibble convert`: writes a model as a GGUF file.
 * @module
 */
import { basename, resolve } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import {
  type ConvertOptions,
  type ConvertReport,
  convert as convertCheckpoint,
} from "../../../weights-tools/convert.ts";
import { type ImportanceFile, readImportance } from "../../../weights-tools/measure/importance.ts";
import {
  type TensorWeightType,
  tensorWeightType,
  tensorWeightTypeNames,
  type WeightType,
  weightType,
  weightTypeNames,
} from "../../../weights-tools/types/weight-types.ts";
import { NibbleError } from "../../base/errors.ts";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import { fileSource } from "../../hosts/node/files.ts";
import { describeModel } from "../../models/index.ts";
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { type Flag, repeated, requires, text, toggle } from "../flags.ts";
import { jsonFlag, offlineFlag, withCheckpoint } from "../model.ts";
import { note, printJson, printLines, size } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";
import { Progress } from "../progress.ts";

const typeFlag: Flag<WeightType> = {
  names: ["--type"],
  placeholder: "TYPE",
  expected: weightTypeNames.join(", "),
  help: "type or mix of types of the matrices (default: each keeps its own)",
  read: (value) => known(weightType, value),
};

export const convert: Command = defineCommand({
  name: "convert",
  usage: "SOURCE OUT",
  positionals: [2, 2],
  about: `Writes SOURCE (a Hugging Face folder or a GGUF file) as the GGUF file OUT, its matrices in another type. Types,
largest first, in small or capital letters:
  ${weightTypeNames.slice(0, 10).join(" ")}
  ${weightTypeNames.slice(10).join(" ")}
q2_k, q6_k, iq4_nl, iq4_xs and those that end in _s, _m, _l are llama.cpp's mixes: the output matrix and some matrices of
each layer get a larger type. A quantised tensor whose type changes is decoded and quantised again, and the errors of both
types add up; so take a float model where there is one. The errors shown are relative to the root mean square of a tensor's
values.`,
  flags: {
    type: typeFlag,
    tensorType: repeated({
      names: "--tensor-type",
      placeholder: "NAME=TYPE",
      expected: `NAME=TYPE with a type of ${tensorWeightTypeNames.join(", ")}`,
      help: "another type for some matrices; * in NAME is any text; the first NAME that matches counts",
      read: readTensorType,
    }),
    pure: toggle("--pure", "use only the main type of a mix"),
    imatrix: text("--imatrix", "FILE", "the importance of columns, from nibble imatrix or llama-imatrix"),
    name: text("--name", "NAME", "the model's name in the file (default: the name in the source, or of its folder)"),
    force: forceFlag,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals }) {
    const [source, out] = positionals as [string, string];
    const { type, tensorType, pure, imatrix } = flags;
    for (const [flag, given] of Object.entries({ "--tensor-type": tensorType, "--pure": pure, "--imatrix": imatrix }))
      if (type === undefined && given !== undefined) throw requires(flag, "--type");
    checkOutput(out, flags.force, imatrix === undefined ? [source] : [source, imatrix]);
    const given = imatrix === undefined ? undefined : await importanceOf(imatrix);
    const progress = new Progress(`converting to ${out}`);
    const report = await withCheckpoint(source, async (checkpoint) => {
      if (checkpoint.huggingFace) await checkFolder(checkpoint);
      const name = flags.name ?? (checkpoint.huggingFace && basename(resolve(source)));
      const options: ConvertOptions = {
        ...(type && { type }),
        ...(tensorType && { tensorType }),
        ...(pure && { pure }),
        ...(given && importanceOptions(imatrix!, given)),
        ...(name !== undefined && { name }),
        onTensor: (_, index, all) => progress.update(index + 1, all),
      };
      return writeFileAtomically(out, (sink) => convertCheckpoint(checkpoint, sink, options));
    }).finally(() => progress.end());
    await (flags.json ? printJson({ out, ...report }) : printLines(table(report)));
    if (!flags.json) note(`${out}: ${summary(report)}`);
  },
});

/**
 * Refuses a Hugging Face folder that cannot be run, before a byte is written: it could not be run as GGUF either, and a GGUF
 * says less about the reason. A GGUF source is not checked: its names and shapes stay, and it may be of an architecture that
 * only other programs run.
 */
async function checkFolder(checkpoint: Checkpoint): Promise<void> {
  const model = await describeModel(checkpoint);
  model.describe({ maxBatchTokens: 1, maxLogitRows: 1, kvType: "f32", threads: 1 });
  createTokenizer(checkpoint);
}

function importanceOptions(
  file: string,
  { importance, ...facts }: ImportanceFile,
): Pick<ConvertOptions, "importance" | "importanceOrigin"> {
  return { importance, importanceOrigin: { file, entryCount: importance.size, ...facts } };
}

async function importanceOf(path: string): Promise<ImportanceFile> {
  const source = await fileSource(path);
  try {
    return await readImportance(source);
  } catch (error) {
    if (!(error instanceof NibbleError)) throw error;
    throw new NibbleError(error.code, `${path}: ${error.message}`, { cause: error });
  } finally {
    await source.close?.();
  }
}

/** The result of `read`, or undefined if it throws. */
function known<T>(read: (name: string) => T, name: string): T | undefined {
  try {
    return read(name);
  } catch {
    return undefined;
  }
}

function readTensorType(value: string): readonly [string, TensorWeightType] | undefined {
  const at = value.lastIndexOf("=");
  const type = known(tensorWeightType, value.slice(at + 1));
  return at > 0 && type !== undefined ? [value.slice(0, at), type] : undefined;
}

/** The whole file in a line: its size, how many tensors have each type, and where most was lost. */
function summary({ bytes, tensors }: ConvertReport): string {
  const counts = new Map<string, number>();
  for (const { to } of tensors) counts.set(to, (counts.get(to) ?? 0) + 1);
  const types = [...counts].sort(([, a], [, b]) => b - a).map(([type, count]) => `${count} ${type}`);
  const worst = tensors.reduce((most, tensor) => (tensor.rmse > most.rmse ? tensor : most));
  const error =
    worst.rmse > 0 ? `; largest error ${worst.rmse.toExponential(2)} in ${worst.name}` : "; nothing was lost";
  return `${size(bytes)}, ${tensors.length} tensors (${types.join(", ")})${error}`;
}

function table({ tensors, notes }: ConvertReport): string {
  const width = Math.max(...tensors.map(({ name }) => name.length));
  const rows = tensors.map(({ name, from, to, bytes, rmse, reason }) => {
    const types = from === to ? to : `${from} -> ${to}`;
    const why = reason === undefined ? "" : ` (${reason})`;
    return `${name.padEnd(width)}  ${types.padEnd(12)}  ${size(bytes).padStart(10)}  error ${rmse.toExponential(2)}${why}`;
  });
  return [...rows, ...notes.map((line) => `note: ${line}`)].map((line) => `${line}\n`).join("");
}
