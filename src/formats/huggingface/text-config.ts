/**
 * The part of config.json that describes the language model. In a multimodal model it is `text_config`.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";
import { RecordedValues, refuseUnread } from "../read-keys.ts";
import { getString } from "../typed-values.ts";
import { isUnusedKey } from "./config-keys.ts";
import { families } from "./families.ts";
import type { Family } from "./family.ts";
import { refuseQuantized } from "./quantized.ts";

export interface TextConfig {
  readonly modelType: string;
  readonly family: Family;
  readonly config: RecordedValues<Json>;
  /** Whether the model has other parts, whose tensors are skipped. */
  readonly isPart: boolean;
}

/** Keys that stand beside `text_config` and count for the text too, where that has no value of its own. */
const SHARED_KEYS = ["bos_token_id", "eos_token_id", "pad_token_id", "tie_word_embeddings"];

/** Keys of a multimodal model that are about its other parts. */
const OTHER_PARTS = /vision|image|video|audio|speech|projector|multimodal|^mm_|_token_index$|^spatial_|^scale_factor$/;

/**
 * Finds the language model in a config.json.
 * @throws NibbleError `unsupported_architecture` for a model_type that is not known; `unsupported_type` for quantised weights
 */
export function readTextConfig(json: JsonObject): TextConfig {
  refuseQuantized(json);
  const outer = new RecordedValues(json);
  const modelType = getString(outer, "model_type");
  const inner = families.has(modelType) ? undefined : outer.get("text_config");
  if (!isObject(inner)) {
    const family = families.get(modelType);
    if (family) return { modelType, family, config: outer, isPart: false };
    throw unknownType(modelType);
  }
  const shared = SHARED_KEYS.map((key) => [key, outer.get(key)] as const).filter(([, value]) => value !== undefined);
  const own = [...inner].filter(([key, value]) => value !== null || !SHARED_KEYS.includes(key));
  const config = new RecordedValues(new Map<string, Json>([...(shared as [string, Json][]), ...own]));
  refuseUnread(outer, {
    file: "config.json ",
    subject: `model_type ${modelType}`,
    isUnused: (key) => key.startsWith("text_config.") || OTHER_PARTS.test(key) || isUnusedKey(key),
    unsupported: {},
  });
  const innerType = getString(config, "model_type", { default: `${modelType}_text` });
  const family = families.get(innerType);
  if (!family) throw unknownType(`${innerType} (the text_config of ${modelType})`);
  return { modelType: innerType, family, config, isPart: true };
}

function unknownType(modelType: string): NibbleError {
  const known = [...families.keys()].join(", ");
  return new NibbleError(
    "unsupported_architecture",
    `config.json: model_type ${modelType} is not supported; ${known} are, and registerArchitecture adds others`,
  );
}
