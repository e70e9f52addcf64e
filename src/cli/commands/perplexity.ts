/**
 * `nibble perplexity`: measures how well a model predicts a text, and how far it is from a reference.
 * @module
 */
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { type Divergence, DivergenceMeter, negativeLogLikelihood } from "../../../weights-tools/measure/divergence.ts";
import { openLogits, writeLogits } from "../../../weights-tools/measure/logits-file.ts";
import { exp } from "../../base/math.ts";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import { fileSource } from "../../hosts/node/files.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { loadExecutor } from "../../load/executor.ts";
import { describeModel } from "../../models/index.ts";
import type { WasmExecutor } from "../../runtime/executor.ts";
import type { Executor } from "../../runtime/types.ts";
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { conflict, requires, text, toggle, UsageError, type Values } from "../flags.ts";
import {
  DEFAULT_MODEL,
  jsonFlag,
  loading,
  modelFlag,
  type RuntimeFlags,
  runtimeFlags,
  runtimeOptions,
  withCheckpoint,
} from "../model.ts";
import { printJson, printLines } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";
import { predictions, readIds, textFlags } from "../predictions.ts";

/** Rows with logits per step: the logits of 64 rows take 32 MiB with a vocabulary of 128k tokens. */
const BATCH = 64;

export const perplexity: Command = defineCommand({
  name: "perplexity",
  usage: "",
  positionals: [0, 0],
  about: `Shows the mean negative log-likelihood (natural logarithm) of every token except the first, given the tokens before
it, and its exponential. The text is not changed; BOS is added where the model's files ask for it. A text longer than the
context is read in windows that share one token, so that each token except the first is still predicted once.
Against a reference it also shows the Kullback-Leibler divergence in nats (mean, median, 99 % quantile, largest) and how
often both models put the same token first. Either name the reference model, or record its logits with
--kl-divergence-base and read them with --kl-divergence as well; the record holds the text's tokens, and 4 bytes per token
of the text and token of the vocabulary.
--json prints { "nll", "ppl", "tokens", "divergence"? }; tokens counts all tokens, with the first.`,
  flags: {
    model: modelFlag,
    ...textFlags,
    klDivergence: toggle("--kl-divergence", "compare with the file of --kl-divergence-base, instead of recording it"),
    base: text(
      "--kl-divergence-base",
      "FILE",
      "a file with the reference's logits: written, or with --kl-divergence read",
    ),
    reference: text("--reference", "MODEL", "compare with this model directly"),
    ...runtimeFlags,
    force: forceFlag,
    json: jsonFlag,
  },
  async run({ flags }) {
    const { base, reference, klDivergence } = flags;
    if (klDivergence && base === undefined) throw requires("--kl-divergence", "--kl-divergence-base FILE");
    if (base !== undefined && reference !== undefined)
      throw conflict("--kl-divergence-base", "--reference", "both name the reference");
    const model = flags.model ?? DEFAULT_MODEL;
    const runtime: RuntimeValues = flags;
    if (base !== undefined && !klDivergence) checkOutput(base, flags.force, [model]);
    const result = await withCheckpoint(model, async (checkpoint) => {
      if (klDivergence)
        return againstFile(base!, flags, (tokens, context) => open(checkpoint, model, { ...runtime, context }, tokens));
      const ids = await readIds(flags, (input) => createTokenizer(checkpoint).encode(input));
      const executor = await open(checkpoint, model, runtime, ids.length);
      if (base !== undefined) return record(executor, ids, base);
      if (reference === undefined) return score(executor, ids);
      return withCheckpoint(reference, async (other) => {
        const context = executor.contextLength;
        const rows = predictions(await open(other, reference, { ...runtime, context }, ids.length), ids);
        return score(executor, ids, () => rows.next().value as Float32Array);
      });
    });
    await (flags.json ? printJson(result) : printLines(describe(result)));
  },
});

interface Result {
  readonly nll: number;
  readonly ppl: number;
  readonly tokens: number;
  readonly divergence?: Divergence & { readonly referencePpl: number };
}

type RuntimeValues = Partial<Values<RuntimeFlags>>;

/** Loads a model for a text of `tokens`. A window has `-c` tokens, else those of the text up to the model's own context. */
async function open(
  checkpoint: Checkpoint,
  model: string,
  flags: RuntimeValues,
  tokens: number,
): Promise<WasmExecutor> {
  const batch = flags.batch ?? BATCH;
  const trained = (await describeModel(checkpoint)).config.contextLength;
  const contextLength = flags.context ?? Math.min(tokens, trained);
  if (contextLength < 2) throw new UsageError("-c: expected at least 2, got 1", "-c");
  const options = { ...runtimeOptions({ ...flags, batch }), contextLength, maxLogitRows: batch, maxSequences: 1 };
  return loading(model, options, (all) => loadExecutor(checkpoint, nodeHost, all));
}

/** The running mean of the negative log-likelihoods, and its exponential. */
class Likelihood {
  #sum = 0;
  #count = 0;
  add(logits: Float32Array, id: number): void {
    this.#sum += negativeLogLikelihood(logits, id);
    this.#count++;
  }
  get nll(): number {
    return this.#sum / this.#count;
  }
  get ppl(): number {
    return exp(this.nll);
  }
}

/** Scores a text. @param reference returns the reference's logits of each prediction, in order */
async function score(
  executor: Executor,
  ids: readonly number[],
  reference?: (index: number) => Float32Array | Promise<Float32Array>,
): Promise<Result> {
  const [own, others, meter] = [new Likelihood(), new Likelihood(), new DivergenceMeter()];
  let i = 0;
  for (const logits of predictions(executor, ids)) {
    own.add(logits, ids[i + 1]!);
    if (reference) {
      const expected = await reference(i);
      others.add(expected, ids[i + 1]!);
      meter.add(expected, logits);
    }
    i++;
  }
  const result = { nll: own.nll, ppl: own.ppl, tokens: ids.length };
  return reference ? { ...result, divergence: { referencePpl: others.ppl, ...meter.result() } } : result;
}

/** Scores a text while its logits are written to a file. */
async function record(executor: WasmExecutor, ids: readonly number[], path: string): Promise<Result> {
  const { contextLength, vocabSize } = executor;
  const own = new Likelihood();
  function* watched(): Generator<Float32Array> {
    let next = 1;
    for (const logits of predictions(executor, ids)) {
      own.add(logits, ids[next++]!);
      yield logits;
    }
  }
  await writeFileAtomically(path, (sink) => writeLogits(sink, { tokens: ids, contextLength, vocabSize }, watched()));
  return { nll: own.nll, ppl: own.ppl, tokens: ids.length };
}

/** Scores the text of a recorded file against its logits. */
async function againstFile(
  path: string,
  flags: { file: string | undefined; ids: string | undefined; context: number | undefined },
  openModel: (tokens: number, context: number) => Promise<Executor>,
): Promise<Result> {
  const given = [flags.file && "-f", flags.ids && "--ids", flags.context && "-c"].find(Boolean);
  if (given) throw conflict(given, "--kl-divergence", `the text and its windows are those of ${path}`);
  const source = await fileSource(path);
  try {
    const run = await openLogits(source);
    return await score(await openModel(run.tokens.length, run.contextLength), run.tokens, run.row);
  } finally {
    await source.close?.();
  }
}

function describe({ nll, ppl, tokens, divergence }: Result): string {
  const line = `perplexity ${ppl.toFixed(4)}, nll ${nll.toFixed(6)}, ${tokens} tokens\n`;
  if (divergence === undefined) return line;
  const { mean, standardError, median, quantile99, max, top1, referencePpl } = divergence;
  const nats = (value: number): string => value.toExponential(3);
  return `${line}reference perplexity ${referencePpl.toFixed(4)}, ratio ${(ppl / referencePpl).toFixed(5)}
KL divergence: mean ${nats(mean)} +- ${nats(standardError)}, median ${nats(median)}, 99 % ${nats(quantile99)}, max ${nats(max)}
same top token: ${(100 * top1).toFixed(2)} %
`;
}
