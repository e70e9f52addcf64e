/**
 * The files of sentence-transformers beside a model's own (sentence_transformers, models/*.py and base/modules/*.py): which
 * modules follow the model, their settings and weights, and the prompts. Versions 5 and 6 name the same things differently;
 * both are read.
 *
 * Keys of our own, for facts that GGUF has no key for:
 * - `nibble.embedding.normalize`: boolean. `nibble.embedding.max_length`: number of tokens. `.similarity`: string.
 * - `nibble.embedding.prompt_names`, `.prompts`: strings. `.default_prompt`: the name of one of them.
 * - `nibble.dense_2.activation`, `nibble.dense_3.activation`: "tanh".
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { isObject, parseJson } from "../../base/json.ts";
import type { ByteSource, FileSet } from "../../io/byte-source.ts";
import type { MetadataValue, TensorInfo } from "../checkpoint.ts";
import type { FormatLimits } from "../limits.ts";
import { readSafetensors } from "../safetensors.ts";
import { getBoolean, getNumber, getString } from "../typed-values.ts";
import type { Put } from "./family.ts";
import { toInfo } from "./tensors.ts";
import type { TextFiles } from "./text-files.ts";

/** What the modules say. */
export interface SentenceTransformers {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  /** The dense layers under llama.cpp's names. */
  readonly tensors: readonly TensorInfo[];
  /** The files of these tensors, which stay open. */
  readonly sources: readonly ByteSource[];
  /** The tokens whose logits a reranker compares, such as "yes" and "no" (module LogitScore). */
  readonly answers: { readonly yes: number; readonly no: number } | undefined;
}

interface Module {
  /** The last part of its type, such as "Pooling". */
  readonly kind: string;
  readonly path: string;
}

interface Context {
  readonly files: FileSet;
  readonly text: TextFiles;
  readonly limits: FormatLimits;
  readonly put: Put;
  readonly tensors: TensorInfo[];
  readonly sources: ByteSource[];
}

const MAX_MODULES = 16;

/**
 * Reads modules.json and what it names. Without that file there is nothing.
 * @param architecture stands for `{a}` in keys
 * @throws NibbleError `unsupported_architecture` for a module or setting that would change the result, and format codes
 */
export async function readSentenceTransformers(
  files: FileSet,
  text: TextFiles,
  limits: FormatLimits,
  architecture: string,
): Promise<SentenceTransformers | undefined> {
  const modules = await readModules(text, limits);
  if (!modules) return undefined;
  const metadata = new Map<string, MetadataValue>();
  const put: Put = (key, value) => metadata.set(key.replace("{a}", architecture), value);
  const context: Context = { files, text, limits, put, tensors: [], sources: [] };
  put("nibble.embedding.normalize", false);
  let answers: SentenceTransformers["answers"];
  try {
    for (const module of modules) answers = (await readModule(module, context)) ?? answers;
    await readSettings(context);
  } catch (error) {
    for (const source of context.sources) await source.close?.();
    throw error;
  }
  return { metadata, tensors: context.tensors, sources: context.sources, answers };
}

async function readModules(text: TextFiles, limits: FormatLimits): Promise<Module[] | undefined> {
  const bytes = await text.optional("modules.json", limits.configBytes);
  if (!bytes) return undefined;
  const list = parseJson(bytes, { name: "modules.json" });
  if (!Array.isArray(list) || list.length > MAX_MODULES || !list.every(isObject))
    throw new NibbleError("bad_type", `modules.json: expected a list of at most ${MAX_MODULES} modules`);
  return list.map((entry) => {
    const path = getString(entry, "path", { default: "" });
    if (!/^(?:[\w-]+)?$/.test(path))
      throw new NibbleError("bad_value", `modules.json path: expected a name, got ${path}`);
    return { kind: getString(entry, "type").split(".").at(-1)!, path };
  });
}

async function readModule({ kind, path }: Module, context: Context): Promise<SentenceTransformers["answers"]> {
  const { text, limits, put } = context;
  if (kind === "Transformer") return undefined; // its files are those of the model
  const config = (await text.json(`${path}/config.json`, limits.configBytes)) ?? new Map<string, Json>();
  if (kind === "Normalize") put("nibble.embedding.normalize", true);
  else if (kind === "Pooling") put("{a}.pooling_type", poolingType(config));
  else if (kind === "Dense") await readDense(config, path, context);
  else if (kind === "LogitScore") return readAnswers(config);
  else throw unsupported(`modules.json: the module ${kind} is not supported`);
  return undefined;
}

/** llama.cpp's numbers of the kinds of pooling; names of version 5 and of version 6. */
const POOLINGS: readonly (readonly [name: string, older: string, type: number])[] = [
  ["mean", "mean_tokens", 1],
  ["cls", "cls_token", 2],
  ["lasttoken", "lasttoken", 3],
];

function poolingType(config: JsonObject): number {
  if (!getBoolean(config, "include_prompt", { default: true }))
    throw unsupported("1_Pooling/config.json include_prompt: false is not supported; the pooling includes prompts");
  const mode = config.get("pooling_mode");
  const asked =
    typeof mode === "string"
      ? mode
      : [...config.keys()].filter((key) => key.startsWith("pooling_mode_") && config.get(key) === true).join(" and ");
  const found = POOLINGS.find(([name, older]) => asked === name || asked === `pooling_mode_${older}`);
  if (found) return found[2];
  throw unsupported(
    `1_Pooling/config.json: pooling ${asked || "of no kind"} is not supported; mean, cls or lasttoken are`,
  );
}

async function readDense(config: JsonObject, path: string, context: Context): Promise<void> {
  const { files, limits, put, tensors, sources } = context;
  const count = tensors.filter(({ name }) => name.endsWith(".weight")).length;
  const name = `dense_${count + 2}`;
  if (count === 2) throw unsupported("modules.json: more than two Dense modules are not supported");
  const activation = getString(config, "activation_function", { default: "torch.nn.modules.activation.Tanh" });
  const kind = activation.split(".").at(-1)!;
  if (kind === "Tanh") put(`nibble.${name}.activation`, "tanh");
  else if (kind !== "Identity")
    throw unsupported(`${path}/config.json activation_function: ${activation} is not supported; Identity and Tanh are`);
  for (const side of ["in", "out"]) {
    const width = getNumber(config, `${side}_features`, { integer: true, min: 1, max: 2 ** 20 });
    put(`{a}.${name}_feat_${side}`, width);
  }
  const source = await files.open(`${path}/model.safetensors`);
  sources.push(source);
  for (const tensor of (await readSafetensors(source, limits)).tensors.values()) {
    const part = /^linear\.(weight|bias)$/.exec(tensor.name)?.[1];
    if (!part) throw unsupported(`tensor ${JSON.stringify(tensor.name)} is not part of a Dense module`);
    tensors.push(toInfo(`${name}.${part}`, tensor));
  }
}

function readAnswers(config: JsonObject): { yes: number; no: number } {
  const id = (key: string): number => getNumber(config, key, { integer: true, min: 0, max: 2 ** 31 - 1 });
  if ((config.get("false_token_id") ?? null) === null)
    throw unsupported(
      "LogitScore: a score of one token alone is not supported; a true_token_id and a false_token_id are",
    );
  return { yes: id("true_token_id"), no: id("false_token_id") };
}

/** Prompts and similarity, and the length to which texts are cut. */
async function readSettings({ text, limits, put }: Context): Promise<void> {
  const config = await text.json("config_sentence_transformers.json", limits.configBytes);
  const prompts = config?.get("prompts");
  const names = isObject(prompts) ? [...prompts.keys()] : [];
  if (names.length > 0) {
    put("nibble.embedding.prompt_names", names);
    put(
      "nibble.embedding.prompts",
      names.map((name) => getString(prompts as JsonObject, name)),
    );
  }
  for (const [key, name] of [
    ["default_prompt_name", "default_prompt"],
    ["similarity_fn_name", "similarity"],
  ] as const) {
    const value = config?.get(key);
    if (typeof value === "string") put(`nibble.embedding.${name}`, value);
  }
  const bert = await text.json("sentence_bert_config.json", limits.configBytes);
  if (bert?.get("do_lower_case") === true)
    throw unsupported(
      "sentence_bert_config.json do_lower_case: true is not supported; the tokenizer's own normaliser is",
    );
  const longest = bert?.get("max_seq_length");
  if (typeof longest === "number" && longest > 0) put("nibble.embedding.max_length", longest);
}

const unsupported = (message: string): NibbleError => new NibbleError("unsupported_architecture", message);
