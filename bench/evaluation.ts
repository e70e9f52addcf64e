/**
 * Measures what `nibble eval` gains by batches and shared prefixes, with requests like those of two benchmarks: MMLU with five
 * examples and four letters to choose from, and ARC, whose choices are sentences. Run it as `node bench/evaluation.ts
 * MODEL.gguf [THREADS]`. The ways take turns, and all must give the same bits.
 * @module
 */
import { createLoad } from "../src/load/create-load.ts";
import { testHost } from "../test/helpers/models.ts";
import { spread, spreadText } from "./statistics.ts";

/** Tokens of the examples, of a question and of a choice. */
const BENCHMARKS = { "MMLU, 5 examples": [450, 60, 1], "ARC, no examples": [0, 30, 8] } as const;
const CHOICES = 4;
/** Rows of each way in a round: slow ways get fewer. */
const ROWS = { "every pair alone": 1, "row after row": 2, "eight rows at once": 8 };
const ROUNDS = 3;

const [file, threads = "1"] = process.argv.slice(2);
if (file === undefined) throw new Error("the path of a GGUF file is required");
const model = await createLoad(testHost)(file, {
  contextLength: 1024,
  cacheTokens: 8192,
  threads: Number(threads),
  revectorize: true,
});

/** Token ids whose order depends on the seed. */
const ids = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => 300 + ((i * 7919 + seed * 104729) % (model.info.vocabSize - 300)));

interface Row {
  readonly context: readonly number[];
  readonly continuations: readonly (readonly number[])[];
}

const score = ({ context, continuations }: Row) => model.logLikelihoods(context, continuations);

const WAYS: { readonly [way in keyof typeof ROWS]: (rows: readonly Row[]) => Promise<unknown> } = {
  async "every pair alone"(rows) {
    const results = [];
    for (const { context, continuations } of rows) {
      const scores = [];
      for (const continuation of continuations) {
        model.clearPrefixCache();
        scores.push(...(await model.logLikelihoods(context, [continuation])));
      }
      results.push(scores);
    }
    return results;
  },
  async "row after row"(rows) {
    const results = [];
    for (const row of rows) results.push(await score(row));
    return results;
  },
  "eight rows at once": (rows) => Promise.all(rows.map(score)),
};

for (const [name, [examples, question, choice]] of Object.entries(BENCHMARKS)) {
  const rowOf = (seed: number): Row => ({
    context: [...ids(examples, 1), ...ids(question, seed)],
    continuations: Array.from({ length: CHOICES }, (_, i) => ids(choice, seed * 10 + i)),
  });
  const rates = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const first = new Set<string>();
    for (const [way, count] of Object.entries(ROWS)) {
      const rows = Array.from({ length: count }, (_, i) => rowOf(2 + 100 * round + i));
      model.clearPrefixCache();
      // Within a task the examples are known from the rows before.
      if (examples > 0) await score(rowOf(1));
      const start = performance.now();
      const results = (await WAYS[way as keyof typeof WAYS](rows)) as unknown[];
      rates.set(way, [...(rates.get(way) ?? []), (1000 * count) / (performance.now() - start)]);
      first.add(JSON.stringify(results[0]));
    }
    if (first.size > 1) throw new Error(`${name}: the ways differ`);
  }
  const slowest = spread(rates.get("every pair alone")!).median;
  for (const [way, values] of rates) {
    const { median } = spread(values);
    console.log(
      `${name}, ${way}: ${spreadText(spread(values))} rows/s, ${(median / slowest).toFixed(1)} times as fast`,
    );
  }
}
model.dispose();
