/** Adapters at run time give the logits of merged weights, from every container and in every batch. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { loadExecutor } from "../../src/load/executor.ts";
import type { LoadOptions } from "../../src/load/options.ts";
import type { WasmExecutor } from "../../src/runtime/executor.ts";
import type { AdapterScales, BatchItem } from "../../src/runtime/types.ts";
import { ggufAdapter, merged, peftFiles, randomAdapter, type TestAdapter } from "../helpers/adapters.ts";
import { architectures, executorOf, openFixture, testHost } from "../helpers/models.ts";

const ids: number[] = JSON.parse(readFileSync(join(architectures, "llama", "reference.json"), "utf8")).input_ids;
const options = { kvType: "f32", maxLogitRows: 40, contextLength: 64, cacheTokens: 1024 } as const;

/** The names of all matmuls of a model, with its head where that has a matrix of its own. */
function products({ tensors }: Checkpoint): string[] {
  const matrix = /^(blk\.\d+\.(attn_(q|k|v|output)|ffn_(gate|up|down))|output)\.weight$/;
  return [...tensors.keys()].filter((name) => matrix.test(name));
}

async function load(name: string, lora: LoadOptions["lora"], more: LoadOptions = {}): Promise<WasmExecutor> {
  return executorOf(await openFixture(name, "gguf"), { ...options, ...more, ...(lora && { lora }) });
}

function logits(executor: WasmExecutor, adapters?: AdapterScales, chunk = 40): Float32Array[] {
  const sequence = executor.createSequence(adapters);
  const rows: Float32Array[] = [];
  for (let at = 0; at < ids.length; at += chunk) {
    const part = ids.slice(at, at + chunk);
    for (const row of executor.forward([{ sequence, tokens: part, logits: "all" }])) rows.push(row.slice());
  }
  sequence.dispose();
  return rows;
}

function worst(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let most = 0;
  for (const [i, row] of a.entries()) row.forEach((x, j) => void (most = Math.max(most, Math.abs(x - b[i]![j]!))));
  return most;
}

const opened: Checkpoint[] = [];
/** Opens a fixture, reads from it, and closes it. */
async function open(...args: Parameters<typeof openFixture>): Promise<Checkpoint> {
  const checkpoint = await openFixture(...args);
  opened.push(checkpoint);
  return checkpoint;
}
afterAll(async () => {
  for (const checkpoint of opened) await checkpoint.close();
});

/** Two adapters of one model: one for all matmuls, one for some of them with another rank. */
async function adaptersOf(name: string): Promise<[Checkpoint, TestAdapter, TestAdapter]> {
  const base = await open(name, "gguf");
  const all = products(base);
  return [base, randomAdapter(base, all, 4, 1), randomAdapter(base, all.slice(2, 6), 17, 2)];
}

describe.each(["llama", "llama-untied", "mobilellm-r1", "qwen2", "gemma3", "olmo2"])("%s", (name) => {
  it("an adapter gives the logits of merged weights, with any strength, two as one", async () => {
    const [base, one, two] = await adaptersOf(name);
    const { architecture } = base;
    const sources = [await ggufAdapter(one, architecture), await ggufAdapter(two, architecture, "F32")];
    const executor = await load(
      name,
      sources.map((source, i) => ({ source, name: `${i}` })),
    );
    const plain = logits(await load(name, undefined));
    for (const scales of [
      [1, 0],
      [0, 1],
      [0.5, -1.25],
    ] as const) {
      const whole = await merged(base, [
        [one, scales[0]],
        [two, scales[1]],
      ]);
      const expected = logits(await loadExecutor(whole, testHost, options));
      const rows = logits(executor, scales);
      expect(worst(rows, expected)).toBeLessThan(1e-4);
      expect(worst(rows, plain)).toBeGreaterThan(0.05);
    }
  });

  it("off: the bits of the model without adapters", async () => {
    const [base, one] = await adaptersOf(name);
    const executor = await load(name, [{ source: await ggufAdapter(one, base.architecture) }]);
    const plain = logits(await load(name, undefined));
    expect(logits(executor)).toEqual(plain);
    expect(logits(executor, [0])).toEqual(plain);
    expect(logits(executor, [1])).not.toEqual(plain);
    expect(logits(executor)).toEqual(plain);
  });
});

describe("containers", () => {
  it("a PEFT folder and a GGUF file on either container of `llama`: the same bits, q and k rows in the base's order", async () => {
    const folder = await open("llama", "config.json");
    const adapter = randomAdapter(folder, products(folder), 8, 3);
    const expected = logits(await loadExecutor(await merged(folder, [[adapter, 1]]), testHost, options));
    const bits = new Map<string, Float32Array[]>();
    for (const container of ["config.json", "gguf"] as const) {
      const checkpoint = await openFixture("llama", container);
      const executor = await executorOf(checkpoint, { ...options, lora: [{ source: peftFiles(adapter) }] });
      bits.set(container, logits(executor, [1]));
      expect(worst(bits.get(container)!, expected)).toBeLessThan(1e-4);
    }
    // The same adapter as llama.cpp's converter would write it, with its q and k rows in the GGUF's order.
    const gguf = await openFixture("llama", "gguf");
    const permuted = new Map(adapter.products);
    for (const [name, { a, b }] of adapter.products) {
      if (!/attn_[qk]/.test(name)) continue;
      const size = 64;
      const [rows, rank] = b.shape;
      const data = b.data.slice();
      for (let row = 0; row < rows; row++) {
        const within = row % size;
        const from = row - within + (within % 2) * (size / 2) + Math.floor(within / 2);
        data.set(b.data.subarray(from * rank, (from + 1) * rank), row * rank);
      }
      permuted.set(name, { a, b: { shape: b.shape, data } });
    }
    const source = await ggufAdapter({ ...adapter, products: permuted }, "llama", "F32");
    expect(logits(await executorOf(gguf, { ...options, lora: [{ source }] }), [1])).toEqual(bits.get("gguf"));
    const streamed = { body: new Blob([source.slice()]).stream(), size: source.length };
    for (const each of [source, streamed]) {
      const onFolder = await openFixture("llama", "config.json");
      const executor = await executorOf(onFolder, { ...options, lora: [{ source: each }] });
      expect(logits(executor, [1])).toEqual(bits.get("config.json"));
    }
  });

  it("PEFT's scales: alpha / rank, by the root where rank-stabilised, alpha_pattern by module", async () => {
    const base = await open("llama", "gguf");
    const adapter = randomAdapter(base, products(base), 4, 4);
    const run = async (config: Record<string, unknown>, source = adapter) =>
      logits(await load("llama", [{ source: peftFiles(source, config) }]), [1]);
    const twice = { ...adapter, alpha: 2 * adapter.alpha };
    expect(await run({ use_rslora: true })).toEqual(await run({}, twice)); // sqrt(4) = 2
    const names = ["q_proj", "k_proj", "v_proj", "self_attn.o_proj", "gate_proj", "mlp.up_proj", "down_proj"];
    const pattern = Object.fromEntries(names.map((module) => [module, 2 * adapter.alpha]));
    expect(await run({ alpha_pattern: pattern })).toEqual(await run({}, twice));
    expect(await run({ alpha_pattern: { "layers.0.self_attn.q_proj": 1 } })).not.toEqual(await run({}));
  });
});

describe("one batch", () => {
  it("rows with different adapters do not change each other, in any chunks, builds and threads", async () => {
    const [, one, two] = await adaptersOf("llama");
    const sources = [await ggufAdapter(one, "llama"), await ggufAdapter(two, "llama")];
    const lora = sources.map((source, i) => ({ source, name: `${i}` }));
    const choices: (AdapterScales | undefined)[] = [undefined, [1, 0], [0, 1], [0.5, 2], [1, 0]];
    const runs: LoadOptions[] = [
      {},
      { build: "simd" },
      { build: "threads", threads: 1 },
      { build: "threads", threads: 3 },
    ];
    const alone = await load("llama", lora);
    const expected = choices.map((adapters) => logits(alone, adapters));
    expect(expected[4]).toEqual(expected[1]);
    for (const kvType of ["f32", "mixed"] as const) {
      const reference = kvType === "f32" ? alone : await load("llama", lora, { kvType });
      const solo = choices.map((adapters) => logits(reference, adapters));
      for (const run of runs) {
        const executor = await load("llama", lora, { ...run, kvType, maxLogitRows: 64 });
        const sequences = choices.map((adapters) => executor.createSequence(adapters));
        const rows = choices.map((): Float32Array[] => []);
        for (let at = 0, step = 0; at < ids.length; step++) {
          const count = [3, 1, 9, 1][step % 4]!;
          const items = sequences.map(
            (sequence): BatchItem => ({ sequence, tokens: ids.slice(at, at + count), logits: "all" }),
          );
          const out = executor.forward(items);
          out.forEach((row, i) => void rows[Math.floor(i / (out.length / choices.length))]!.push(row.slice()));
          at += count;
        }
        expect(rows).toEqual(solo);
        executor.dispose();
      }
    }
  });

  it("a fork keeps its adapters; scales that are none of the model's are refused", async () => {
    const [, one] = await adaptersOf("llama");
    const executor = await load("llama", [{ source: await ggufAdapter(one, "llama") }]);
    const sequence = executor.createSequence([1]);
    executor.forward([{ sequence, tokens: ids.slice(0, 30), logits: "none" }]);
    const fork = sequence.fork();
    expect(fork.adapters).toEqual([1]);
    const rest = executor.forward([{ sequence: fork, tokens: ids.slice(30), logits: "last" }])[0]!.slice();
    expect(rest).toEqual(logits(executor, [1]).at(-1));
    for (const scales of [[], [1, 1], [Number.NaN]])
      expect(() => executor.createSequence(scales)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });

  it("an adapter of zeros changes no bit", async () => {
    const base = await open("mobilellm-r1", "gguf");
    const adapter = randomAdapter(base, products(base), 2, 5);
    for (const { b } of adapter.products.values()) b.data.fill(0);
    const executor = await load("mobilellm-r1", [{ source: await ggufAdapter(adapter, "llama4") }]);
    expect(logits(executor, [1])).toEqual(logits(executor));
  });
});
