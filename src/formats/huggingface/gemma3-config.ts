/**
 * config.json of Gemma 3 (transformers, models/gemma3/configuration_gemma3.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { getBoolean, getNumber } from "../typed-values.ts";
import type { Family, Put } from "./family.ts";
import { ropeParameters, ropeType } from "./rope-config.ts";
import { allButEvery, slidingLayers } from "./windows-config.ts";

/** EmbeddingGemma has its own architecture in GGUF, which says that attention is bidirectional. */
export function gemma3Variant(config: JsonObject): Partial<Family> {
  const both = getBoolean(config, "use_bidirectional_attention", { default: false });
  return both ? { architecture: "gemma-embedding" } : {};
}

/** Sliding windows, the two RoPE bases, the attention's scale and the softcaps. */
export function addGemma3Facts(config: JsonObject, put: Put, layers: number): void {
  put("{a}.attention.sliding_window", getNumber(config, "sliding_window", { default: 4096, integer: true, min: 1 }));
  const period = getNumber(config, "sliding_window_pattern", { default: 6, integer: true, min: 1 });
  const sliding = slidingLayers(config, layers, allButEvery(period));
  // llama.cpp's converter writes no key for the usual pattern.
  if (sliding.some((local, i) => local !== ((i + 1) % 6 !== 0))) put("{a}.attention.sliding_window_pattern", sliding);
  put("{a}.rope.freq_base_swa", localBase(config));
  // transformers takes this square root in double precision, too.
  const scalar = getNumber(config, "query_pre_attn_scalar", { default: 256, min: 2 ** -20, max: 2 ** 31 });
  put("{a}.attention.scale", Math.fround(1 / Math.sqrt(scalar)));
  const cap = getNumber(config, "final_logit_softcapping", { default: 0, min: 0, max: 2 ** 20 });
  if (cap > 0) put("{a}.final_logit_softcapping", Math.fround(cap));
}

/** The base of RoPE in the layers with a window, whose frequencies are not scaled. */
function localBase(config: JsonObject): number {
  const parameters = ropeParameters(config, { ropeByLayerType: true }, "sliding_attention");
  if (ropeType(parameters) !== "default")
    throw new NibbleError(
      "unsupported_architecture",
      `config.json rope_parameters.sliding_attention.rope_type: ${ropeType(parameters)} is not supported; default is`,
    );
  const older = getNumber(config, "rope_local_base_freq", { default: 10_000, min: 1 });
  return Math.fround(getNumber(parameters, "rope_theta", { default: older, min: 1 }));
}
