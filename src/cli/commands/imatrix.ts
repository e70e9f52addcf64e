/**
 * `nibble imatrix`: finds out which columns of a model's matrices matter, for `nibble convert --imatrix`.
 * @module
 */
import { basename } from "node:path";
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { ImportanceCollector } from "../../../weights-tools/measure/importance.ts";
import { NibbleError } from "../../base/errors.ts";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { loadExecutor } from "../../load/executor.ts";
import { describeModel } from "../../models/index.ts";
import type { WasmExecutor } from "../../runtime/executor.ts";
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { number, text, toggle } from "../flags.ts";
import { DEFAULT_MODEL, jsonFlag, loading, modelFlag, offlineFlag, withCheckpoint } from "../model.ts";
import { note, printJson, size } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";
import { readIds, textFlags } from "../predictions.ts";
import { Progress } from "../progress.ts";

/** Tokens per window, as in llama-imatrix. */
const WINDOW = 512;
/** Rows per step. All have logits, so that the last layer computes all of them. */
const BATCH = 64;

export const imatrix: Command = defineCommand({
  name: "imatrix",
  usage: "",
  positionals: [0, 0],
  about: `Reads a text with a model (best in F32, F16 or BF16) and writes, for each column of each matrix, the mean square of
the activations that it is multiplied with. The file has the format of llama.cpp's llama-imatrix (GGUF), and the quantisers
of both programs read it. Windows are read one after the other, each from an empty context, with BOS first where the
model's files ask for it. Keys and values are cached in f32. It runs on one thread.`,
  flags: {
    model: modelFlag,
    ...textFlags,
    out: text("-o, --output-file", "FILE", "the file to write (default: imatrix.gguf)"),
    window: number("-c, --ctx-size", "N", { min: 2, integer: true }, `tokens per window (default ${WINDOW})`),
    processOutput: toggle(
      "--process-output",
      "collect the output matrix too, which is the embedding where they are tied",
    ),
    force: forceFlag,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags }) {
    const model = flags.model ?? DEFAULT_MODEL;
    const out = flags.out ?? "imatrix.gguf";
    const inputs = [model, ...(flags.file === undefined || flags.file === "-" ? [] : [flags.file])];
    checkOutput(out, flags.force, inputs);
    const report = await withCheckpoint(model, async (checkpoint) => {
      const tokenizer = createTokenizerIfAny(checkpoint, flags.ids !== undefined);
      const ids = await readIds(flags, (input) => tokenizer!.encode(input));
      const trained = (await describeModel(checkpoint)).config.contextLength;
      const contextLength = flags.window ?? Math.min(WINDOW, trained);
      const options = { contextLength, maxBatchTokens: BATCH, maxLogitRows: BATCH, maxSequences: 1, threads: 1 };
      const executor = await loading(model, { ...options, kvType: "f32" }, (all) =>
        loadExecutor(checkpoint, nodeHost, all),
      );
      const bos = tokenizer?.addBos ? tokenizer.bosId : undefined;
      const collector = collect(executor, ids, { bos, withOutput: flags.processOutput === true });
      const facts = {
        dataset: basename(flags.file ?? flags.ids ?? ""),
        chunkCount: Math.ceil(ids.length / contextLength),
        chunkSize: contextLength,
      };
      const bytes = await writeFileAtomically(out, (sink) => collector.write(sink, facts));
      return { out, bytes, matrices: collector.names.length, tokens: ids.length, ...facts };
    });
    if (flags.json) return printJson(report);
    note(`${out}: ${report.matrices} matrices, ${report.tokens} tokens, ${size(report.bytes)}`);
  },
});

/**
 * Creates the model's tokenizer.
 * @param optional whether the command can do without one, because it is given token ids
 */
function createTokenizerIfAny(
  checkpoint: Checkpoint,
  optional: boolean,
): ReturnType<typeof createTokenizer> | undefined {
  try {
    return createTokenizer(checkpoint);
  } catch (error) {
    if (optional && error instanceof NibbleError) return undefined;
    throw error;
  }
}

interface CollectOptions {
  /** Replaces the first token of each later window, as in llama-imatrix; the first window has its own BOS. */
  readonly bos: number | undefined;
  /** Whether the output matrix is collected too. */
  readonly withOutput: boolean;
}

/** Reads the text window by window, and collects the activations that all matrices are multiplied with. */
function collect(
  executor: WasmExecutor,
  ids: readonly number[],
  { bos, withOutput }: CollectOptions,
): ImportanceCollector {
  const progress = new Progress("reading the text");
  const collector = new ImportanceCollector();
  const sequence = executor.createSequence();
  for (let start = 0; start < ids.length; start += executor.contextLength) {
    sequence.truncate(0);
    const window = ids.slice(start, start + executor.contextLength);
    if (bos !== undefined && start > 0) window[0] = bos;
    for (let at = 0; at < window.length; at += BATCH) {
      const tokens = window.slice(at, at + BATCH);
      executor.forward([{ sequence, tokens, logits: "all" }], (weights, row) => {
        if (withOutput || weights[0]!.startsWith("blk.")) collector.add(weights, row);
      });
      progress.update(start + at, ids.length);
    }
  }
  progress.end();
  sequence.dispose();
  return collector;
}
