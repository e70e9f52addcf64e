/**
 * Adapters as PEFT writes them: folders with adapter_config.json and adapter_model.safetensors (peft,
 * src/peft/tuners/lora/config.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject, parseJsonObject } from "../../base/json.ts";
import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import { readExactly } from "../../io/byte-source.ts";
import type { Checkpoint, TensorInfo } from "../checkpoint.ts";
import { familyOfArchitecture } from "../huggingface/families.ts";
import { ggufName, toInfo } from "../huggingface/tensors.ts";
import { defaultLimits } from "../limits.ts";
import { readSafetensors } from "../safetensors.ts";
import { getBoolean, getNumber, getString } from "../typed-values.ts";
import { type AdapterFile, pairMatrices } from "./products.ts";

const CONFIG = "adapter_config.json";

/**
 * Reads the configuration and the header of an adapter. After an error the files are closed.
 * @throws NibbleError with a format code
 */
export async function readPeftAdapter(files: FileSet, base: Checkpoint): Promise<AdapterFile> {
  const scaleOf = readScale(await readConfig(files));
  const file = await files.open("adapter_model.safetensors");
  const close = async () => void (await file.close?.());
  try {
    return { products: await readProducts(file, base, scaleOf), permutedQK: false, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readConfig(files: FileSet): Promise<JsonObject> {
  if (!(await files.has(CONFIG)))
    throw new NibbleError(
      "missing_file",
      `${CONFIG} is missing; an adapter's folder needs it and adapter_model.safetensors`,
    );
  const source = await files.open(CONFIG);
  try {
    if (source.size > defaultLimits.configBytes) {
      const message = `${CONFIG}: expected at most ${defaultLimits.configBytes} bytes, got ${source.size}`;
      throw new NibbleError("limit_exceeded", message);
    }
    return parseJsonObject(await readExactly(source, 0, source.size), { name: CONFIG });
  } finally {
    await source.close?.();
  }
}

/** Settings of variants of LoRA that compute something else. */
const OTHER_KINDS = ["use_dora", "use_qalora", "lora_bias", "fan_in_fan_out"];
/** Settings of adapters that have other weights beside the two matrices. */
const MORE_WEIGHTS = ["modules_to_save", "layer_replication", "alora_invocation_tokens", "trainable_token_indices"];

/**
 * The scale by module and rank: alpha / rank, or alpha / sqrt(rank) if it is rank-stabilised (Kalajdzievski 2023,
 * arXiv:2312.03732). An alpha of `alpha_pattern` takes precedence over `lora_alpha`.
 */
function readScale(config: JsonObject): (module: string, rank: number) => number {
  const refuse = (key: string, value: unknown) =>
    new NibbleError("unsupported_architecture", `${CONFIG} ${key}: ${value} is not supported; only plain LoRA is`);
  const type = getString(config, "peft_type");
  if (type !== "LORA") throw refuse("peft_type", type);
  for (const key of OTHER_KINDS) if (getBoolean(config, key, { default: false })) throw refuse(key, true);
  for (const key of MORE_WEIGHTS) {
    const value = config.get(key) ?? [];
    if (!Array.isArray(value) || value.length > 0) throw refuse(key, "a list that is not empty");
  }
  const bias = getString(config, "bias", { default: "none" });
  if (bias !== "none") throw refuse("bias", bias);
  const alpha = getNumber(config, "lora_alpha", { default: 8 });
  const stabilised = getBoolean(config, "use_rslora", { default: false });
  const patterns = readPatterns(config);
  return (module, rank) => {
    const own = patterns.find(([key]) => module === key || module.endsWith(`.${key}`))?.[1] ?? alpha;
    return own / (stabilised ? Math.sqrt(rank) : rank);
  };
}

/** The alphas of `alpha_pattern`. PEFT takes its keys as regular expressions; this reader takes the plain names used in practice. */
function readPatterns(config: JsonObject): [module: string, alpha: number][] {
  const pattern = config.get("alpha_pattern") ?? new Map();
  if (!isObject(pattern)) throw new NibbleError("bad_type", `${CONFIG} alpha_pattern must be an object`);
  return [...pattern.keys()].map((key) => {
    if (!/^[\w.]+$/.test(key))
      throw new NibbleError("unsupported_architecture", `${CONFIG} alpha_pattern: expected module names, got ${key}`);
    return [key, getNumber(pattern, key)];
  });
}

async function readProducts(file: ByteSource, base: Checkpoint, scaleOf: (module: string, rank: number) => number) {
  const { tensors } = await readSafetensors(file);
  const family = familyOfArchitecture(base.architecture);
  const matrices = { a: new Map<string, TensorInfo>(), b: new Map<string, TensorInfo>() };
  const modules = new Map<string, string>();
  for (const tensor of tensors.values()) {
    const [, module, letter] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(tensor.name) ?? [];
    const name = module && ggufName(`${module}.weight`, family);
    if (!name) {
      const message = `tensor ${JSON.stringify(tensor.name)} is not a LoRA matrix of a ${base.architecture} model`;
      throw new NibbleError("unsupported_architecture", message);
    }
    modules.set(name, module);
    matrices[letter === "A" ? "a" : "b"].set(name, toInfo(name, tensor));
  }
  return pairMatrices(matrices, (name, rank) => scaleOf(modules.get(name)!, rank));
}
