/**
 * Compares `nibble eval` with lm-eval that drives a server, in requests per second: GSM8K's zero-shot chain of thought, 32
 * rows, answers of at most 64 tokens, eight at a time. The servers are native llama.cpp (the package xllamacpp) and
 * `nibble serve`. The ways take turns, and every round has rows of its own, so that no server knows a prompt.
 *
 *   python3 -m venv /tmp/peers && /tmp/peers/bin/pip install "lm-eval[api]==0.4.13" transformers==5.24.0 xllamacpp==2026.10.11549
 *   node --experimental-wasm-revectorize bench/lm-eval.ts /tmp/peers/bin/python MODEL.gguf [THREADS] [ROUNDS]
 *
 * Multiple choice cannot be compared so: llama.cpp's /v1/completions ignores `echo`, which lm-eval needs there.
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { evaluate } from "../src/eval/evaluate.ts";
import { LocalBackend } from "../src/eval/local-backend.ts";
import { TASKS } from "../src/eval/registry.ts";
import { runsOf } from "../src/eval/runs.ts";
import type { Row } from "../src/eval/task.ts";
import { createLoad } from "../src/load/create-load.ts";
import { root, testHost } from "../test/helpers/models.ts";
import { spread, spreadText } from "./statistics.ts";

const TASK = "gsm8k_cot_zeroshot";
const ROWS = 32;
const TOKENS = 64;
const TOGETHER = 8;
const CONTEXT = 1024;

const [python, file, threads = "2", rounds = "3"] = process.argv.slice(2);
if (python === undefined || file === undefined) throw new Error("a Python and the path of a GGUF file are required");
const folder = mkdtempSync(join(tmpdir(), "nibble-lm-eval-"));

/** A process that answers with lines of JSON. It ends when its input does, and so also when this script is killed. */
class Peer {
  readonly #child;
  readonly #lines;
  constructor(command: string, args: readonly string[]) {
    const env = { ...process.env, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1", HF_HOME: folder };
    this.#child = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
  /** The next line that is JSON. */
  async next<T>(): Promise<T> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error("the peer ended");
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }
  ask<T>(order: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return this.next();
  }
  end(): void {
    this.#child.stdin.end();
  }
}

const questions = ["gsm8k", "gsm8k.train"]
  .flatMap((name) =>
    readFileSync(join(root, `test/fixtures/evaluation/data/${name}.jsonl`), "utf8")
      .trim()
      .split("\n"),
  )
  .map((line) => JSON.parse(line) as { question: string; answer: string });

/** Rows that no other round has. */
const rowsOf = (round: number): Row[] =>
  Array.from({ length: ROWS }, (_, i) => {
    const { question, answer } = questions[i % questions.length]!;
    return { question: `Problem ${round * ROWS + i + 1}. ${question}`, answer };
  });

const script = join(root, "bench/peers/lm-eval.py");
const evaluator = new Peer(python, [script, "evaluate"]);
const native = new Peer(python, [script, "serve", file, threads, `${TOGETHER}`, `${CONTEXT}`]);
const served = ["serve", file, "--port", "0", "--json", "-t", threads, "-c", `${CONTEXT}`, "-np", `${TOGETHER}`];
// A server does not mind the end of its input, so a shell waits for that.
const untilEnd = ["-c", '"$@" < /dev/null & cat > /dev/null; kill $!', "sh", process.execPath];
const ours = new Peer("sh", [...untilEnd, join(root, "dist/cli.js"), ...served]);
const [llama, nibble] = await Promise.all([
  native.next<{ url: string; about: string }>(),
  ours.next<{ url: string }>(),
]);
const model = await createLoad(testHost)(file, {
  contextLength: CONTEXT,
  cacheTokens: 4 * CONTEXT,
  threads: Number(threads),
  revectorize: true,
});

interface Timed {
  readonly seconds: number;
  readonly answers: readonly string[];
}

/** lm-eval's own task with a file of ours in place of the hub's. */
function byLmEval(url: string, rows: readonly Row[]): Promise<Timed> {
  const data = join(folder, "rows.jsonl");
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { doc_to_text, doc_to_target, generation_kwargs } = TASKS.get(TASK)!;
  const source = { dataset_path: "json", dataset_kwargs: { data_files: { test: data } }, test_split: "test" };
  const metric_list = [{ metric: "exact_match" }];
  const output_type = "generate_until";
  const task = {
    ...{ task: TASK, ...source, output_type, doc_to_text, doc_to_target, metric_list },
    generation_kwargs,
  };
  return evaluator.ask({ url, model: file, task, concurrent: TOGETHER, tokens: TOKENS });
}

async function byNibble(rows: readonly Row[]): Promise<Timed> {
  const [run] = runsOf(TASKS.get(TASK)!, { rows, pool: [], shots: undefined, chat: undefined });
  const answers: string[] = [];
  const start = performance.now();
  for await (const [sample] of evaluate(new LocalBackend(model), run!, { maxTokens: TOKENS, parallel: TOGETHER }))
    answers[sample!.id] = sample!.resps[0]![0] as string;
  return { seconds: (performance.now() - start) / 1000, answers };
}

const WAYS: Readonly<Record<string, (rows: readonly Row[]) => Promise<Timed>>> = {
  "lm-eval, native llama.cpp": (rows) => byLmEval(llama.url, rows),
  "lm-eval, nibble serve": (rows) => byLmEval(nibble.url, rows),
  "nibble eval": byNibble,
};

console.log(llama.about);
const rates = new Map<string, number[]>();
const characters = new Map<string, number>();
// The first round is not counted: engines compile their kernels, and allocate.
for (let round = 0; round <= Number(rounds); round++) {
  const all = new Map<string, readonly string[]>();
  for (const [way, run] of Object.entries(WAYS)) {
    const { seconds, answers } = await run(rowsOf(round));
    console.log(`round ${round}, ${way}: ${seconds.toFixed(2)} s`);
    all.set(way, answers);
    if (round > 0) rates.set(way, [...(rates.get(way) ?? []), ROWS / seconds]);
    characters.set(way, answers.join("").length / ROWS);
  }
  if (JSON.stringify(all.get("nibble eval")) !== JSON.stringify(all.get("lm-eval, nibble serve")))
    throw new Error("nibble eval and nibble serve gave other answers");
}
const base = spread(rates.get("lm-eval, native llama.cpp")!).median;
for (const [way, values] of rates) {
  const { median } = spread(values);
  const length = characters.get(way)!.toFixed(0);
  console.log(
    `${way}: ${spreadText(spread(values))} requests/s, ${(median / base).toFixed(2)} times; ${length} characters per answer`,
  );
}
for (const peer of [evaluator, native, ours]) peer.end();
model.dispose();
rmSync(folder, { recursive: true, force: true });
