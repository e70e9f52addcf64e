/**
 * Mistakes that an implementation could make, made on purpose: each moves the logits as far as mistakes.json says
 * (an independent pass in NumPy), so none can hide within the tolerance of reference.test.ts.
 *
 * Four mistakes of the file are not tested: "eps/10" of gemma3 and "temperature tuning" of mobilellm-r1 change nothing in
 * these fixtures; "gelu erf" and "interleaved gqa" would need other kernels.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Architecture, DecoderConfig } from "../../src/models/decoder.ts";
import { gemma3 } from "../../src/models/gemma3.ts";
import { registerArchitecture } from "../../src/models/index.ts";
import { llama } from "../../src/models/llama.ts";
import { llama4 } from "../../src/models/llama4.ts";
import { olmo2 } from "../../src/models/olmo2.ts";
import { qwen2 } from "../../src/models/qwen2.ts";
import { qwen3 } from "../../src/models/qwen3.ts";
import { inverseFrequencies } from "../../src/models/rope.ts";
import type { ProgramBuilder } from "../../src/runtime/builder.ts";
import type { Value } from "../../src/runtime/recording.ts";
import { architectures, argmax, executorOf, floats, openFixture } from "../helpers/models.ts";

interface Recorded {
  mistakes: Record<string, { max_abs_logit_change: number; argmax_changed: number }>;
}
const recorded = JSON.parse(readFileSync(join(architectures, "mistakes.json"), "utf8")) as Record<string, Recorded>;

/** A mistake: other hyper-parameters, or another builder. */
interface Mistake {
  readonly facts?: (config: DecoderConfig) => object;
  readonly builder?: (b: ProgramBuilder) => void;
}

/** `method` leaves the values alone where its weight's name matches; the weight still counts as read. */
function without(b: ProgramBuilder, method: "rmsNormHeads" | "rmsNorm" | "bias", pattern: RegExp): void {
  const original = b[method] as (x: Value, ...rest: unknown[]) => Value;
  const { weights } = b as unknown as { weights: { vector(name: string, length: number): void } };
  const skipping = (x: Value, ...rest: unknown[]): Value => {
    const name = rest.find((value) => typeof value === "string");
    if (!name || !pattern.test(name)) return original.call(b, x, ...rest);
    weights.vector(name, method === "rmsNormHeads" ? (rest[0] as number) : x.width);
    return { ...x };
  };
  Object.assign(b, { [method]: skipping });
}

function tied(b: ProgramBuilder): void {
  const { weights } = b as unknown as { weights: { matrix(name: string, rows: number, columns: number): void } };
  const has = b.has.bind(b);
  b.has = (name) => name !== "output.weight" && has(name);
  const { matmul } = b;
  b.matmul = (x, name, out) => {
    if (name === "token_embd.weight") weights.matrix("output.weight", out, x.width);
    return matmul.call(b, x, name, out);
  };
}

/** Hyper-parameters that only some architectures have. */
interface Facts extends DecoderConfig {
  readonly windows: readonly number[];
  readonly useRope: readonly boolean[];
}
const facts = (change: (config: Facts) => Partial<Record<string, unknown>>): Mistake => ({
  facts: (config) => change(config as Facts),
});
const builder = (change: (b: ProgramBuilder) => void): Mistake => ({ builder: change });

const still = (c: DecoderConfig): Float32Array => new Float32Array(c.frequencies.length);
const everywhere: Record<string, Mistake> = {
  "other rope layout": facts((c) => ({ interleaved: !c.interleaved })),
  "no rope": facts((c) => ({ frequencies: still(c), localFrequencies: still(c) })),
  "eps/10": facts((c) => ({ eps: c.eps / 10 })),
};
const noHeadNorm = builder((b) => without(b, "rmsNormHeads", /./));
const noPostNorm = builder((b) => without(b, "rmsNorm", /post_/));

interface Tested {
  readonly architecture: Architecture;
  readonly mistakes: Record<string, Mistake>;
}
const tested: Record<string, Tested> = {
  llama: { architecture: llama, mistakes: everywhere },
  "llama-untied": { architecture: llama, mistakes: { ...everywhere, tied: builder(tied) } },
  "llama3-rope": {
    architecture: llama,
    mistakes: {
      ...everywhere,
      "no llama3 scaling": facts((c) => ({ frequencies: inverseFrequencies(500_000, c.headDim) })),
    },
  },
  "mobilellm-r1": {
    architecture: llama4 as unknown as Architecture,
    mistakes: {
      ...everywhere,
      "no qk norm": facts(() => ({ useQKNorm: false })),
      "last layer without rope and qk norm": facts((c) => ({ useRope: c.useRope.map((_, i) => i < c.layers - 1) })),
      "softmax scale attn_scale": facts(() => ({ attentionScale: 0.1 })),
    },
  },
  qwen2: {
    architecture: qwen2,
    mistakes: {
      ...everywhere,
      "no q bias": builder((b) => without(b, "bias", /attn_q/)),
      "no k bias": builder((b) => without(b, "bias", /attn_k/)),
      "no v bias": builder((b) => without(b, "bias", /attn_v/)),
    },
  },
  qwen3: { architecture: qwen3, mistakes: { ...everywhere, "no qk norm": noHeadNorm } },
  gemma3: {
    architecture: gemma3 as unknown as Architecture,
    mistakes: {
      "other rope layout": everywhere["other rope layout"]!,
      "no rope": everywhere["no rope"]!,
      "no qk norm": noHeadNorm,
      "no embed scale": builder((b) => Object.assign(b, { scale: (x: Value) => ({ ...x }) })),
      "one theta": facts((c) => ({ localFrequencies: c.frequencies })),
      "window+1": facts((c) => ({ windows: c.windows.map((window) => (window ? window + 1 : 0)) })),
      // All layers attend to all tokens. A window larger than the context keeps the RoPE of the local layers.
      "no window": facts((c) => ({ windows: c.windows.map((window) => (window ? 1000 : 0)) })),
      "silu for gelu": builder((b) => Object.assign(b, { geluMul: b.siluMul })),
      "no post norm": noPostNorm,
    },
  },
  olmo2: {
    architecture: olmo2,
    mistakes: {
      ...everywhere,
      "no qk norm": builder((b) => without(b, "rmsNorm", /attn_[qk]_norm/)),
      "no post norm": noPostNorm,
      tied: builder(tied),
    },
  },
};

describe.each(Object.entries(tested))("%s", (name, { architecture, mistakes }) => {
  const reference = JSON.parse(readFileSync(join(architectures, name, "reference.json"), "utf8"));
  const expected = floats(reference.logits_float64);
  afterAll(() => registerArchitecture(architecture));

  it.each(Object.entries(mistakes))("%s", async (title, { facts, builder }) => {
    registerArchitecture({
      name: architecture.name,
      async readConfig(checkpoint) {
        const config = await architecture.readConfig(checkpoint);
        return { ...config, ...facts?.(config) };
      },
      build(b, config) {
        builder?.(b);
        return architecture.build(b, config);
      },
    });
    const options = { kvType: "f32", maxLogitRows: 40, contextLength: 64 } as const;
    const executor = await executorOf(await openFixture(name, "config.json"), options);
    const rows = executor.forward([
      { sequence: executor.createSequence(), tokens: reference.input_ids, logits: "all" },
    ]);
    let change = 0;
    reference.positions.forEach((position: number, i: number) => {
      rows[position]!.forEach((logit, v) => {
        change = Math.max(change, Math.abs(logit - expected[i * reference.vocab_size + v]!));
      });
    });
    const changed = rows.filter((row, i) => argmax(row) !== reference.argmax[i]).length;
    const { max_abs_logit_change, argmax_changed } = recorded[name]!.mistakes[title]!;
    expect(Math.abs(change - max_abs_logit_change)).toBeLessThan(5e-5 + 1e-3 * max_abs_logit_change);
    expect(changed).toBe(argmax_changed);
  });
});
