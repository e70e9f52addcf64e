/**
 * `nibble verify`: hashes and checks a model's files and tensors, and compares two models.
 * @module
 */
import { createHash } from "node:crypto";
import {
  type Comparison,
  compareCheckpoints,
  hashSource,
  type Verification,
  verifyCheckpoint,
} from "../../../weights-tools/verify.ts";
import { NibbleError } from "../../base/errors.ts";
import { fileSource } from "../../hosts/node/files.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Flag } from "../flags.ts";
import { ensurePulled, jsonFlag, modelFiles, offlineFlag, pulledFiles, withCheckpoint } from "../model.ts";
import { printJson, printLines, size } from "../output.ts";
import { Progress } from "../progress.ts";

const sha256: Flag<string> = {
  names: ["--sha256"],
  placeholder: "HEX",
  expected: "64 hexadecimal digits",
  help: "the SHA-256 that the file must have",
  read: (value) => (/^[\da-f]{64}$/i.test(value) ? value : undefined),
};

export const verify: Command = defineCommand({
  name: "verify",
  usage: "MODEL [OTHER]",
  positionals: [1, 2],
  about: `Reads all of MODEL (a GGUF file, the first shard of a split one, or a Hugging Face folder), checks the structure of
its files and that all weights are finite, and shows the SHA-256 of each file and tensor. With OTHER, it also compares the
two models, whatever their containers and types, and shows the error of each tensor. The exit code is 1 if something is
wrong or differs.`,
  flags: {
    sha256,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals }) {
    const [model, other] = positionals as [string, string | undefined];
    const files = await hashFiles(model);
    if (flags.sha256 !== undefined) checkHash(files, flags.sha256);
    const progress = new Progress(`verifying ${model}`);
    const facts = await withCheckpoint(model, async (checkpoint) => {
      const verification = await verifyCheckpoint(checkpoint, newHash, (index, count) => progress.update(index, count));
      const comparison =
        other === undefined
          ? undefined
          : await withCheckpoint(other, (second) =>
              compareCheckpoints(checkpoint, second, (index, count) => progress.update(index, count)),
            );
      return { files, ...verification, ...(comparison && { comparison }) };
    }).finally(() => progress.end());
    if (facts.problems.length > 0 || facts.comparison?.same === false) process.exitCode = 1;
    await (flags.json ? printJson(facts) : printLines(describe(facts)));
  },
});

interface FileHash {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Facts extends Verification {
  readonly files: readonly FileHash[];
  readonly comparison?: Comparison;
}

const newHash = () => createHash("sha256");

async function hashFiles(model: string): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  await ensurePulled(model);
  for (const file of [...modelFiles(model), ...(await pulledFiles(model))]) {
    const source = await fileSource(file);
    try {
      hashes.push({ file, bytes: source.size, sha256: await hashSource(source, newHash()) });
    } finally {
      await source.close?.();
    }
  }
  return hashes;
}

function checkHash(files: readonly FileHash[], expected: string): void {
  const [first, ...more] = files;
  if (first === undefined || more.length > 0)
    throw new NibbleError(
      "invalid_argument",
      `--sha256: it requires a model of one file, and this one has ${files.length}`,
    );
  if (first.sha256 !== expected.toLowerCase())
    throw new NibbleError("bad_weights", `${first.file}: expected SHA-256 ${expected}, got ${first.sha256}`);
}

function describe({ files, tensors, problems, comparison }: Facts): string {
  const width = Math.max(0, ...tensors.map(({ name }) => name.length));
  const compared = new Map(comparison?.tensors.map((tensor) => [tensor.name, tensor]));
  const lines = files.map(({ file, bytes, sha256 }) => `${sha256}  ${file} (${size(bytes)})`);
  for (const { name, sha256, type } of tensors) {
    const errors = compared.get(name);
    const error = errors ? `  ${errors.types.join(" -> ").padEnd(14)} error ${errors.rmse.toExponential(2)}` : "";
    lines.push(`${sha256.slice(0, 16)}  ${name.padEnd(width)}  ${comparison ? error : type}`);
  }
  lines.push(...problems.map((problem) => `problem: ${problem}`));
  if (problems.length === 0) lines.push(`sound: ${tensors.length} tensors, all weights finite`);
  if (comparison) {
    lines.push(...comparison.differences.map((difference) => `differs: ${difference}`));
    lines.push(
      comparison.equal
        ? "the same model, every value equal"
        : comparison.same
          ? "the same model, within the errors of its types"
          : "not the same model",
    );
  }
  return `${lines.join("\n")}\n`;
}
