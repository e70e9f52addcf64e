/**
 * Mistakes that an implementation of the newer architectures could make, made on purpose: each moves the logits of its fixture
 * by far more than the tolerance of reference.test.ts, so that none can hide there.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Architecture, DecoderConfig } from "../../src/models/decoder.ts";
import { ernie45 } from "../../src/models/ernie4_5.ts";
import { gemma2 } from "../../src/models/gemma2.ts";
import { granite } from "../../src/models/granite.ts";
import { hunyuan } from "../../src/models/hunyuan.ts";
import { registerArchitecture } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { minicpm } from "../../src/models/minicpm.ts";
import { mistral3 } from "../../src/models/mistral3.ts";
import { mobilellm } from "../../src/models/mobilellm.ts";
import { olmo2 } from "../../src/models/olmo2.ts";
import { qwen3 } from "../../src/models/qwen3.ts";
import { inverseFrequencies } from "../../src/models/rope.ts";
import { smollm3 } from "../../src/models/smollm3.ts";
import { architectures, executorOf, floats, type NEWER_FIXTURES, openFixture } from "../helpers/models.ts";

const KNOWN = [ernie45, gemma2, granite, hunyuan, llama, minicpm, mistral3, mobilellm, olmo2, qwen3, smollm3];
const ARCHITECTURES = new Map(KNOWN.map((known) => [known.name, known as unknown as Architecture]));

type Name = (typeof NEWER_FIXTURES)[number];
/** Any hyper-parameter of any architecture. */
type Facts = DecoderConfig & Record<string, never>;

const interleaved = { "other layout of RoPE": (c: Facts) => ({ interleaved: !c.interleaved }) };
const noWindow = { "no window": (c: { windows: number[] }) => ({ windows: c.windows.map(() => 0) }) };
const wider = {
  "a window of one token more": (c: { windows: number[] }) => ({ windows: c.windows.map((w) => (w ? w + 1 : 0)) }),
};
const noFactor = { "cosines and sines without their factor": () => ({ ropeFactor: 1 }) };
const factors = {
  "no embedding factor": () => ({ embeddingScale: 1 }),
  "no residual factor": () => ({ residualScale: 1 }),
  "no divisor of logits": () => ({ logitDivisor: 1 }),
};
const usualScale = { "scale 1 / sqrt(head)": (c: Facts) => ({ attentionScale: 1 / Math.sqrt(c.headDim) }) };
const plainRope = (theta: number) => ({
  "frequencies without scaling": (c: Facts) => ({ frequencies: inverseFrequencies(theta, c.headDim) }),
});

// biome-ignore lint/suspicious/noExplicitAny: each function takes the hyper-parameters of its architecture
const MISTAKES: Partial<Record<Name, Record<string, (config: any) => object>>> = {
  smollm3: { ...interleaved, "RoPE in all layers": (c) => ({ useRope: c.useRope.map(() => true) }) },
  granite: { ...interleaved, ...factors, ...usualScale, "no RoPE": () => ({ useRope: false }) },
  "granite4-dense": { ...factors, "RoPE all the same": () => ({ useRope: true }) },
  ernie4_5: interleaved,
  hunyuan_v1_dense: { ...interleaved, ...plainRope(1e4) },
  "mistral-window": { ...noWindow, ...wider },
  ministral3: { ...plainRope(1e6), "queries that do not grow": () => ({ temperature: { beta: 0, length: 16 } }) },
  minicpm4: { ...factors, ...noFactor, ...plainRope(1e4) },
  gemma2: {
    ...usualScale,
    ...noWindow,
    ...wider,
    "no softcap of scores": () => ({ attentionSoftcap: 0 }),
    "no softcap of logits": () => ({ logitSoftcap: 0 }),
    "SiLU for GELU": () => ({ activation: "silu" }),
  },
  olmo3: {
    ...noFactor,
    ...noWindow,
    ...wider,
    "YaRN in all layers": (c) => ({ localFrequencies: c.frequencies }),
    "YaRN in no layer": (c) => ({ frequencies: c.localFrequencies }),
  },
  "qwen3-yarn": { ...noFactor, ...plainRope(1e6) },
  "mobilellm-ls": { "each layer once": () => ({ repeats: 1 }) },
};

describe.each(Object.entries(MISTAKES))("%s", (name, mistakes) => {
  it.each(Object.entries(mistakes))("%s", async (_, change) => {
    const reference = JSON.parse(readFileSync(join(architectures, name, "reference.json"), "utf8"));
    const expected = floats(reference.logits_float64);
    const checkpoint = await openFixture(name, "config.json");
    const right = ARCHITECTURES.get(checkpoint.architecture)!;
    registerArchitecture({
      ...right,
      readConfig: async (file) => {
        const config = await right.readConfig(file);
        return { ...config, ...change(config) };
      },
    });
    const options = { kvType: "f32", maxLogitRows: 40, contextLength: 64 } as const;
    const executor = await executorOf(checkpoint, options).finally(() => registerArchitecture(right));
    const rows = executor.forward([
      { sequence: executor.createSequence(), tokens: reference.input_ids, logits: "all" },
    ]);
    executor.dispose();
    const worst = (reference.positions as number[]).flatMap((position, i) =>
      [...rows[position]!].map((logit, v) => Math.abs(logit - expected[i * reference.vocab_size + v]!)),
    );
    expect(Math.max(...worst)).toBeGreaterThan(0.01);
  });
});

it("an architecture that does not pass the factor of RoPE on is refused", async () => {
  registerArchitecture({ ...qwen3, build: (b, c) => qwen3.build(b, { ...c, ropeFactor: 1 }) });
  const reading = executorOf(await openFixture("qwen3-yarn", "config.json"), {});
  await expect(reading).rejects.toThrow(/has the factor 1\.13/);
  registerArchitecture(qwen3);
});
