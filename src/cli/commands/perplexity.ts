/**
 * `nibble perplexity`: how well a model predicts a text.
 * @module
 */
import { NibbleError } from "../../errors.ts";
import type { Checkpoint } from "../../formats/types.ts";
import { nodeHost } from "../../hosts/node.ts";
import { loadExecutor } from "../../load.ts";
import { exp, log } from "../../math.ts";
import { describeModel } from "../../models/index.ts";
import type { Executor } from "../../runtime/types.ts";
import { createTokenizer } from "../../tokenizer/index.ts";
import { type Command, defineCommand } from "../command.ts";
import { text, UsageError } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, loading, modelFlag, runtimeFlags, runtimeOptions, withCheckpoint } from "../model.ts";
import { print, printJson } from "../output.ts";
import { Progress } from "../progress.ts";

/** Rows with logits in a step: 64 rows of 128k words are 32 MiB. */
const BATCH = 64;

export const perplexity: Command = defineCommand({
  name: "perplexity",
  usage: "",
  positionals: [0, 0],
  about: `Mean negative log-likelihood (natural logarithm) of every token but the first, given those before it, and its
exponential. The text is tokenized as it stands, with BOS where the model's files ask for it. A text longer than the
context is read in windows that share one token, so that each token but the first is still predicted once.
--json: { "nll", "ppl", "tokens" }; tokens counts all, the first included.`,
  flags: {
    model: modelFlag,
    file: text("-f, --file", "FILE", "the text; - is stdin"),
    ids: text("--ids", "FILE", "instead of text: a JSON array of token ids"),
    ...runtimeFlags,
    json: jsonFlag,
  },
  async run({ flags }) {
    if ((flags.file === undefined) === (flags.ids === undefined))
      throw new UsageError(`expected either -f or --ids, got ${flags.file === undefined ? "neither" : "both"}`);
    const input = await readText((flags.file ?? flags.ids)!);
    const given = flags.ids === undefined ? undefined : parseIds(input, flags.ids);
    const source = flags.model ?? DEFAULT_MODEL;
    const result = await withCheckpoint(source, async (checkpoint) => {
      const ids = given ?? createTokenizer(checkpoint).encode(input);
      if (ids.length < 2) throw new NibbleError("invalid_argument", `expected at least 2 tokens, got ${ids.length}`);
      const batch = flags.batch ?? BATCH;
      const options = {
        ...runtimeOptions({ ...flags, batch }),
        contextLength: flags.context ?? Math.min(ids.length, await trainedContext(checkpoint)),
        maxLogitRows: batch,
        maxSequences: 1,
      };
      if (options.contextLength < 2) throw new UsageError("-c: expected at least 2, got 1", "-c");
      const executor = await loading(source, options, (all) => loadExecutor(checkpoint, nodeHost, all));
      const nll = meanNll(executor, ids);
      return { nll, ppl: exp(nll), tokens: ids.length };
    });
    if (flags.json) return printJson(result);
    await print(`perplexity ${result.ppl.toFixed(4)}, nll ${result.nll.toFixed(6)}, ${result.tokens} tokens\n`);
  },
});

async function trainedContext(checkpoint: Checkpoint): Promise<number> {
  return (await describeModel(checkpoint)).config.contextLength;
}

function parseIds(json: string, path: string): number[] {
  let ids: unknown;
  try {
    ids = JSON.parse(json);
  } catch (cause) {
    throw new NibbleError("bad_json", `${path}: expected a JSON array of token ids: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (Array.isArray(ids) && ids.every((id) => Number.isInteger(id))) return ids;
  throw new NibbleError("bad_json", `${path}: expected a JSON array of whole numbers`);
}

/** Mean of -log p(ids[i] | ids before it in its window) for i >= 1. */
function meanNll(executor: Executor, ids: readonly number[]): number {
  const { contextLength, maxLogitRows } = executor;
  const progress = new Progress("perplexity");
  const sequence = executor.createSequence();
  let sum = 0;
  for (let start = 0; start < ids.length - 1; start += contextLength - 1) {
    sequence.truncate(0);
    // The last token of a window is only predicted: it is the first that the next window reads.
    const end = Math.min(start + contextLength, ids.length) - 1;
    for (let at = start; at < end; at += maxLogitRows) {
      const tokens = ids.slice(at, Math.min(at + maxLogitRows, end));
      executor.forward([{ sequence, tokens, logits: "all" }]).forEach((logits, i) => {
        sum += nll(logits, ids[at + i + 1]!);
      });
      progress.update(at, ids.length);
    }
  }
  progress.end();
  sequence.dispose();
  return sum / (ids.length - 1);
}

/** -log softmax(logits)[id], in double precision. */
function nll(logits: Float32Array, id: number): number {
  if (!(id >= 0 && id < logits.length))
    throw new NibbleError("invalid_argument", `expected token ids from 0 to ${logits.length - 1}, got ${id}`);
  let max = -Infinity;
  for (const logit of logits) if (logit > max) max = logit;
  let sum = 0;
  for (const logit of logits) sum += exp(logit - max);
  const result = max + log(sum) - logits[id]!;
  if (!Number.isFinite(result)) throw new NibbleError("non_finite_logits", "expected finite logits, got others");
  return result;
}
