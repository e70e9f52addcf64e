/**
 * lm-eval's own task files, run by lm-eval's command line (`local-completions`, --log_samples) against `nibble serve`, and the
 * tasks of the same names by `nibble eval`: both write the same prompts, the same numbers and the same answers, row by row.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nibbleJson } from "../../cli/helpers.ts";
import { dataFolder } from "../../eval/fixtures.ts";
import { root } from "../../helpers/models.ts";
import { installEnvironment, offline, python, serve } from "./environment.ts";

/** lm-eval's file of each task, and the split whose rows are asked. */
const CHOICES = {
  arc_easy: ["arc/arc_easy", "test"],
  arc_challenge: ["arc/arc_challenge", "test"],
  hellaswag: ["hellaswag/hellaswag", "validation"],
  piqa: ["piqa/piqa", "validation"],
  boolq: ["super_glue/boolq/default", "validation"],
  openbookqa: ["openbookqa/openbookqa", "test"],
  winogrande: ["winogrande/default", "validation"],
} as const;
const ANSWERS = {
  gsm8k: ["gsm8k/gsm8k", "test"],
  gsm8k_cot_zeroshot: ["gsm8k/gsm8k-cot-zeroshot", "test"],
} as const;
const FILES: Readonly<Record<string, readonly [file: string, split: string]>> = { ...CHOICES, ...ANSWERS };
const TASKS = Object.keys(FILES);

const folder = mkdtempSync(join(tmpdir(), "nibble-lm-eval-tasks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A line of samples_<task>.jsonl: there is one for each row and filter. */
interface Sample {
  readonly doc_id: number;
  readonly filter: string;
  readonly target: string;
  /** The texts of each request; of a generated answer, `arg_1` has the settings. */
  readonly arguments: Readonly<Record<string, { readonly arg_0: string; readonly arg_1: unknown }>>;
  readonly resps: readonly (readonly (string | readonly [string, string])[])[];
  readonly filtered_resps: unknown;
  readonly acc?: number;
  readonly acc_norm?: number;
  readonly exact_match?: number;
}

interface Evaluated {
  readonly results: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
}

/** The samples of each task, in the order of rows and filters. @param names the files of a task's lines */
function readSamples(out: string, nameOf: (task: string) => RegExp): Evaluated["samples"] {
  const files = readdirSync(out);
  return Object.fromEntries(
    TASKS.map((task) => {
      const lines = readFileSync(join(out, files.find((name) => nameOf(task).test(name))!), "utf8")
        .trim()
        .split("\n");
      const samples = lines.map((line) => JSON.parse(line) as Sample);
      return [task, samples.sort((a, b) => a.doc_id - b.doc_id || (a.filter < b.filter ? -1 : 1))];
    }),
  );
}

/** A task file that takes lm-eval's own, with rows from our data in place of the hub's. JSON is YAML. */
function taskFile(task: string, tasks: string): string {
  const [file, split] = FILES[task]!;
  const rows = task.replace(/_cot_zeroshot$/, "");
  const train = join(dataFolder, `${rows}.train.jsonl`);
  const data_files = { [split]: join(dataFolder, `${rows}.jsonl`), ...(existsSync(train) && { train }) };
  const own = {
    include: join(tasks, `${file}.yaml`),
    task,
    dataset_path: "json",
    dataset_name: null,
    dataset_kwargs: { data_files },
    ...(!existsSync(train) && { training_split: null }),
    test_split: split === "test" ? "test" : null,
    validation_split: split === "test" ? null : split,
  };
  const path = join(folder, `${task}.yaml`);
  writeFileSync(path, JSON.stringify(own));
  return path;
}

/**
 * Of a prompt that is too long the end is kept: by lm-eval's models behind servers `max_length - 1` tokens of context and
 * continuation, by its `hf` models and by us one token more than the context length. A row of boolq is that long.
 */
const MAX_LENGTH = 1024;
const CONTEXT_LENGTH = MAX_LENGTH - 2;

interface Model {
  readonly path: string;
  readonly addsBos: boolean;
}

async function byLmEval({ path, addsBos }: Model): Promise<Evaluated> {
  const out = mkdtempSync(join(folder, "lm-eval-"));
  const tasks = run(["-c", "import lm_eval.tasks as tasks; print(tasks.__path__[0])"]);
  const files = await tasks.then((text) => TASKS.map((task) => taskFile(task, text.trim())));
  const server = await serve(path);
  try {
    const settings = {
      model: path.split("/").pop(),
      base_url: `${server.url}/v1/completions`,
      tokenizer: path,
      tokenizer_backend: "huggingface",
      num_concurrent: 4,
      max_retries: 1,
      max_length: MAX_LENGTH,
      // lm-eval's `hf` models follow the tokenizer, but its models behind servers do so only where they are told to.
      add_bos_token: addsBos,
    };
    const model = Object.entries(settings).map(([name, value]) => `${name}=${value === true ? "True" : value}`);
    const args = ["--model", "local-completions", "--model_args", model.join(","), "--log_samples"];
    await run(["-m", "lm_eval", "run", ...args, "--output_path", out, "--tasks", files.join(",")]);
  } finally {
    await server.stop();
  }
  const [inner] = readdirSync(out);
  const results = readdirSync(join(out, inner!)).find((name) => name.startsWith("results_"))!;
  return {
    ...(JSON.parse(readFileSync(join(out, inner!, results), "utf8")) as Pick<Evaluated, "results">),
    samples: readSamples(join(out, inner!), (task) => new RegExp(`^samples_${task}_\\d`)),
  };
}

async function byNibble({ path }: Model): Promise<Evaluated> {
  const out = mkdtempSync(join(folder, "nibble-"));
  const settings = ["--data", dataFolder, "-m", path, "-t", "1", "-c", `${CONTEXT_LENGTH}`];
  const { results } = await nibbleJson(["eval", ...TASKS, ...settings, "-o", out]);
  return { results, samples: readSamples(out, (task) => new RegExp(`^samples_${task}\\.jsonl$`)) };
}

/** Runs Python without blocking the tests' own process. */
function run(args: readonly string[]): Promise<string> {
  const child = spawn(python, args, { env: { ...process.env, ...offline, HF_HOME: join(folder, "hf") } });
  let [out, text] = ["", ""];
  child.stdout.on("data", (bytes) => (out += bytes));
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (text += bytes));
  return new Promise((resolve, reject) =>
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`${args.join(" ")}: ${code}\n${text}`)))),
  );
}

/** crumb with a tokenizer that adds BOS. */
function withBos(): string {
  const path = join(folder, "crumb-bos");
  mkdirSync(path);
  const from = join(root, "models/crumb");
  for (const name of ["config.json", "model.safetensors"]) cpSync(join(from, name), join(path, name));
  const read = (name: string) => JSON.parse(readFileSync(join(from, name), "utf8"));
  const tokenizer = read("tokenizer.json");
  const bos = read("tokenizer_config.json").bos_token as string;
  const { id } = tokenizer.added_tokens.find(({ content }: { content: string }) => content === bos);
  const sequence = (which: "A" | "B") => [
    { SpecialToken: { id: bos, type_id: 0 } },
    { Sequence: { id: which, type_id: 0 } },
  ];
  tokenizer.post_processor = {
    type: "TemplateProcessing",
    single: sequence("A"),
    pair: [...sequence("A"), ...sequence("B")],
    special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
  };
  writeFileSync(join(path, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(
    join(path, "tokenizer_config.json"),
    JSON.stringify({ ...read("tokenizer_config.json"), add_bos_token: true }),
  );
  return path;
}

beforeAll(installEnvironment);

describe.each([
  { name: "crumb", path: () => join(root, "models/crumb"), addsBos: false },
  { name: "crumb with a tokenizer that adds BOS", path: withBos, addsBos: true },
])("$name", ({ path, addsBos }) => {
  let theirs: Evaluated;
  let ours: Evaluated;
  beforeAll(async () => {
    const model = { path: path(), addsBos };
    theirs = await byLmEval(model);
    ours = await byNibble(model);
  });

  it.each(TASKS)("%s: the same rows, prompts and targets", (task) => {
    const facts = (samples: readonly Sample[]) =>
      samples.map(({ doc_id, filter, target, arguments: requests }) => ({
        ...{ doc_id, filter, target },
        texts: Object.values(requests).map(({ arg_0, arg_1 }) => (typeof arg_1 === "string" ? [arg_0, arg_1] : arg_0)),
      }));
    expect(ours.samples[task]!.length).toBeGreaterThanOrEqual(8);
    expect(facts(ours.samples[task]!)).toEqual(facts(theirs.samples[task]!));
  });

  it.each(Object.keys(CHOICES))("%s: the same log-likelihoods, acc and acc_norm of each row", (task) => {
    for (const [i, { resps, acc, acc_norm }] of ours.samples[task]!.entries()) {
      const expected = theirs.samples[task]![i]!;
      expect({ acc, acc_norm }).toEqual({ acc: expected.acc, acc_norm: expected.acc_norm });
      for (const [j, [answer]] of resps.entries()) {
        const [sum, isGreedy] = answer!;
        const [theirSum, theirGreedy] = expected.resps[j]![0]!;
        // lm-eval adds up the log-probabilities of tokens that JSON carries in full, in another order than we do.
        expect(Math.abs(Number(sum) - Number(theirSum))).toBeLessThanOrEqual(1e-12 * Math.abs(Number(sum)));
        expect(isGreedy).toBe(theirGreedy);
      }
    }
  });

  it.each(Object.keys(ANSWERS))("%s: the same answers, what each filter finds in them, and exact_match", (task) => {
    const facts = (samples: readonly Sample[]) =>
      samples.map(({ resps, filter, filtered_resps, exact_match }) => ({ resps, filter, filtered_resps, exact_match }));
    expect(facts(ours.samples[task]!)).toEqual(facts(theirs.samples[task]!));
  });

  it.each(TASKS)("%s: the same results and standard errors", (task) => {
    const numbers = ({ results }: Evaluated) =>
      Object.entries(results[task]!).filter(([name, value]) => name.includes(",") && typeof value === "number");
    for (const [name, value] of numbers(ours))
      expect(theirs.results[task]![name], name).toBeCloseTo(value as number, 12);
    expect(new Set(numbers(ours).map(([name]) => name))).toEqual(new Set(numbers(theirs).map(([name]) => name)));
  });
});
