/** How rows run: how many at once, in what order they come, and what ends them; seeds of answers. */
import { describe, expect, it } from "vitest";
import type { AnswerRequest, Backend } from "../../src/eval/backend.ts";
import { type EvaluateOptions, evaluate, type TaskRun } from "../../src/eval/evaluate.ts";
import type { Sample } from "../../src/eval/samples.ts";
import type { Task } from "../../src/eval/task.ts";

const task: Task = {
  task: "echo",
  version: 1,
  dataset_path: "none",
  test_split: "test",
  output_type: "generate_until",
  doc_to_text: "{{q}}",
  doc_to_target: "{{q}}",
  metrics: ["exact_match"],
  generation_kwargs: { until: ["\n"], max_gen_toks: 8 },
};
const run: TaskRun = {
  name: "echo",
  task,
  rows: Array.from({ length: 10 }, (_, q) => ({ q })),
  prompts: { shots: 0, pool: [] },
};

/** Answers each request with what the test resolves it to. */
class ManualBackend implements Backend {
  readonly name = "manual";
  readonly identity = "manual";
  readonly tokens = 0;
  readonly requests: AnswerRequest[] = [];
  readonly open = new Map<AnswerRequest, (text: string) => void>();
  most = 0;

  renderChat = (): string => "";
  logLikelihoods = (): Promise<never> => Promise.reject(new Error("not used"));

  generate(request: AnswerRequest, signal: AbortSignal): Promise<string> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      this.open.set(request, (text) => {
        this.open.delete(request);
        resolve(text);
      });
      this.most = Math.max(this.most, this.open.size);
    });
  }

  /** Answers the open requests whose prompt is one of these; all without an argument. */
  answer(...prompts: string[]): void {
    for (const [{ prompt }, resolve] of [...this.open])
      if (prompts.length === 0 || prompts.includes(prompt)) resolve(prompt);
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Runs to the end; every request is answered a turn after it was made. */
async function finish(options: EvaluateOptions, backend = new ManualBackend()): Promise<Sample[]> {
  const samples: Sample[] = [];
  const timer = setInterval(() => backend.answer());
  for await (const row of evaluate(backend, run, options)) samples.push(...row);
  clearInterval(timer);
  return samples;
}

it("a long row holds up no other, and rows come as they end", async () => {
  const backend = new ManualBackend();
  const ids: number[] = [];
  const all = (async () => {
    for await (const [sample] of evaluate(backend, run, { parallel: 2 })) ids.push(sample!.id);
  })();
  for (let row = 1; row < 10; row++) {
    await turn();
    expect(backend.open.size).toBe(2);
    backend.answer(String(row));
  }
  await turn();
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  backend.answer("0");
  await all;
  expect(ids.at(-1)).toBe(0);
});

it.each([
  [1, 1],
  [3, 1],
  [3, 4],
  [8, 64],
])("never more than %i answers at once, with %i samples of each row", async (parallel, samples) => {
  const backend = new ManualBackend();
  const results = await finish({ parallel, samples }, backend);
  expect(backend.most).toBe(parallel);
  expect(results.map(({ id }) => id).sort()).toEqual(run.rows.map((_, id) => id));
  expect(results.every(({ metrics }) => metrics.exact_match === 1)).toBe(true);
});

describe("seeds", () => {
  const seeds = async (options: EvaluateOptions) => {
    const backend = new ManualBackend();
    await finish({ samples: 3, ...options }, backend);
    return new Set(backend.requests.map(({ prompt, sampling }) => `${prompt}: ${sampling.seed}`));
  };

  it("differ for each row and sample, and depend on nothing else", async () => {
    const whole = await seeds({});
    expect(new Set([...whole].map((one) => one.split(": ")[1])).size).toBe(30);
    const shards = [0, 1, 2].map((index) => seeds({ shard: { index, count: 3 }, parallel: 1 }));
    expect(new Set((await Promise.all(shards)).flatMap((shard) => [...shard]))).toEqual(whole);
    expect(await seeds({ done: new Set([0, 1, 2, 3]) })).toEqual(
      new Set([...whole].filter((one) => Number(one[0]) >= 4)),
    );
    expect([...whole].every((one) => Number(one.split(": ")[1]) < 2 ** 32)).toBe(true);
  });
});

describe("ends", () => {
  it("a failed row ends the others at once", async () => {
    const backend = new ManualBackend();
    backend.generate = async (request, signal) => {
      if (request.prompt === "3") throw new Error("no more");
      return ManualBackend.prototype.generate.call(backend, request, signal);
    };
    const rows = evaluate(backend, run, { parallel: 4 });
    await expect(rows.next()).rejects.toThrow("no more");
    expect(backend.requests.length).toBe(3);
  });

  it("the signal ends all, also before the first row", async () => {
    const backend = new ManualBackend();
    const controller = new AbortController();
    const rows = evaluate(backend, run, { parallel: 4, signal: controller.signal });
    const first = rows.next();
    await turn();
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    await expect(evaluate(backend, run, { signal: controller.signal }).next()).rejects.toThrow("enough");
    expect(backend.requests.length).toBe(4);
  });

  it("a reader that leaves ends what still runs", async () => {
    const backend = new ManualBackend();
    const rows = evaluate(backend, run, { parallel: 4 });
    const first = rows.next();
    await turn();
    backend.answer("2");
    expect((await first).value![0]!.id).toBe(2);
    await rows.return(undefined);
    expect(backend.requests.length).toBe(5); // A row began as soon as another one ended.
  });
});
