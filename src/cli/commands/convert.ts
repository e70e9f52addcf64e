/**
 * `nibble convert`: writes a model as GGUF.
 * @module
 */
import { type ConvertReport, convert as convertCheckpoint } from "../../../weights-tools/convert.ts";
import { writeFileAtomically } from "../../../weights-tools/node-files.ts";
import type { TensorWeightType } from "../../../weights-tools/weight-types.ts";
import { type Command, defineCommand } from "../command.ts";
import { oneOf, repeated, text, UsageError } from "../flags.ts";
import { jsonFlag, withCheckpoint } from "../model.ts";
import { note, print, printJson, size } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";
import { Progress } from "../progress.ts";

/** Types that the runtime has kernels for. */
const TYPES = ["q8_0", "q4_0", "q4_1", "f16", "bf16", "f32"] as const satisfies readonly TensorWeightType[];

export const convert: Command = defineCommand({
  name: "convert",
  usage: "SOURCE OUT",
  positionals: [2, 2],
  about: `Writes SOURCE (a Hugging Face folder or a GGUF file) as the GGUF file OUT with its matrices in another type.
Errors are relative to the root mean square of a tensor's values.`,
  flags: {
    type: oneOf("--type", "TYPE", TYPES, `type of matrices: ${TYPES.join(", ")} (default: each keeps its own)`),
    tensorType: repeated(
      "--tensor-type",
      "NAME=TYPE",
      `NAME=TYPE with a type of ${TYPES.join(", ")}`,
      "another type for some tensors; * in NAME is any text; the first that fits counts",
      readTensorType,
    ),
    name: text("--name", "NAME", "the model's name in the file (default: the source's)"),
    force: forceFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals }) {
    const [source, out] = positionals as [string, string];
    const { type, tensorType, name } = flags;
    if (type === undefined && tensorType !== undefined)
      throw new UsageError("--tensor-type: expected --type with it, for the other tensors", "--tensor-type");
    checkOutput(out, flags.force, [source]);
    const progress = new Progress(`converting to ${out}`);
    const report = await withCheckpoint(source, (checkpoint) =>
      writeFileAtomically(out, (sink) =>
        convertCheckpoint(checkpoint, sink, {
          ...(type && { type }),
          ...(tensorType && { tensorType }),
          ...(name !== undefined && { name }),
          onTensor: (_, index, all) => progress.update(index + 1, all),
        }),
      ),
    ).finally(() => progress.end());
    await (flags.json ? printJson({ out, ...report }) : print(table(report)));
    if (!flags.json) note(`${out}: ${size(report.bytes)}`);
  },
});

function readTensorType(value: string): readonly [string, TensorWeightType] | undefined {
  const at = value.lastIndexOf("=");
  const type = TYPES.find((known) => known === value.slice(at + 1));
  return at > 0 && type !== undefined ? [value.slice(0, at), type] : undefined;
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
