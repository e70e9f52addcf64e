/**
 * The tensors of a Hugging Face folder under GGUF's names (llama.cpp, gguf-py/gguf/tensor_mapping.py).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { isConvolution, mapped } from "../derived-tensors.ts";
import type { SafetensorsTensor } from "../safetensors.ts";
import type { TensorType } from "../tensor-types.ts";
import type { TranslatedConfig } from "./config.ts";
import type { Family } from "./family.ts";
import { refuseQuantizedTensor } from "./quantized.ts";

/** Names of the tensors outside the layers of a decoder. `score` is the head of a ForSequenceClassification. */
const modelNames: ReadonlyMap<string, string> = new Map([
  ["embed_tokens.weight", "token_embd.weight"],
  ["norm.weight", "output_norm.weight"],
  ["lm_head.weight", "output.weight"],
  ["score.weight", "cls.output.weight"],
]);

/** The dtypes that are read. */
const readable: ReadonlySet<string> = new Set<TensorType>(["F32", "F16", "BF16"]);

/**
 * The tensors under GGUF's names. As in transformers, an `lm_head.weight` in the file is the matrix of the LM head, even if
 * config.json says that the embeddings are tied. The RoPE tables of old checkpoints are ignored, because they are computed.
 * @throws NibbleError `unsupported_architecture` for a tensor that the family does not have, because without that weight
 *   results would be wrong; `missing_tensor` if there is neither an output matrix nor tied embeddings; `unsupported_type`
 */
export function translateTensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  { family, layers, tensors: computed, tied, biased, isPart, isBase }: TranslatedConfig,
): Map<string, TensorInfo> {
  const translated = new Map(computed.map((info) => [info.name, info]));
  for (const tensor of tensors.values()) {
    if (tensor.name.endsWith(".rotary_emb.inv_freq") || (isPart && OTHER_PARTS.test(tensor.name))) continue;
    const plain = plainName(tensor.name, isPart);
    if (family.unusedTensors?.test(withoutPrefix(plain, family))) continue;
    const joined = joinedMatrices(plain, tensor, family, layers);
    for (const info of joined) translated.set(info.name, info);
    if (joined.length > 0) continue;
    const name = ggufName(plain, family, layers);
    if (name === undefined) {
      refuseQuantizedTensor(tensor.name);
      throw new NibbleError(
        "unsupported_architecture",
        `tensor ${JSON.stringify(tensor.name)} is not part of a ${family.architecture} model of ${layers} layers`,
      );
    }
    if (translated.has(name))
      throw new NibbleError("duplicate_key", `tensor ${JSON.stringify(tensor.name)} is in the file under two names`);
    checkBias(name, tensor.name, biased);
    translated.set(name, asInGguf(toInfo(name, tensor), family));
  }
  for (const name of biased) requireBiases(translated, name, layers);
  // BERT's pooler belongs to a classifier. Embeddings do without it.
  if (!translated.has("cls.output.weight")) for (const part of ["weight", "bias"]) translated.delete(`cls.${part}`);
  if (!tied && !isBase && !translated.has("output.weight"))
    throw new NibbleError(
      "missing_tensor",
      "tensor lm_head.weight is missing; a model with tie_word_embeddings false needs it",
    );
  return translated;
}

/** A tensor as a GGUF holds it: norms as 1 + w, and the kernel of a depthwise convolution without its middle dimension. */
function asInGguf(info: TensorInfo, { normsAddOne, toGguf }: Family): TensorInfo {
  const { name, shape } = info;
  if (isConvolution(name) && shape.length === 3 && shape[1] === 1) return { ...info, shape: [shape[0]!, shape[2]!] };
  if (normsAddOne && name.endsWith("_norm.weight") && !name.endsWith(".ssm_norm.weight")) return mapped(info, plusOne);
  return toGguf ? toGguf(info) : info;
}

/** Tensors of the other parts of a multimodal model, and of the layers that predict further tokens (`mtp`). */
const OTHER_PARTS =
  /^(model\.)?(vision_tower|vision_model|visual|vision_embed_tokens|multi_modal_projector|mm_projector|connector|image_newline|audio_tower|audio_projection|mtp)\b/;

/** A tensor's name as the language model alone has it, which is inside of `language_model` or `text_model`. */
function plainName(name: string, isPart: boolean): string {
  return isPart ? name.replace(/^(model\.)?(language_model|text_model)\.(model\.)?/, "model.") : name;
}

/** The matrices whose rows a tensor joins. None for a tensor that is one matrix. */
function joinedMatrices(plain: string, tensor: SafetensorsTensor, family: Family, layers: number): TensorInfo[] {
  const match = layerParts(withoutPrefix(plain, family), family);
  const names = match && Number(match[1]) < layers && match[3] === "weight" && family.joinedTensors?.get(match[2]!);
  if (!names) return [];
  const [rows, columns, ...rest] = tensor.shape;
  if (rows === undefined || columns === undefined || rest.length > 0 || rows % names.length !== 0)
    throw new NibbleError(
      "bad_shape",
      `tensor ${JSON.stringify(tensor.name)}: expected the rows of ${names.length} matrices, got [${tensor.shape}]`,
    );
  const byteLength = tensor.byteLength / names.length;
  return names.map((name, i) => ({
    ...toInfo(`blk.${match[1]}.${name}.weight`, tensor),
    shape: [rows / names.length, columns],
    offset: tensor.offset + i * byteLength,
    byteLength,
  }));
}

/** A bias that config.json denies would not be used by transformers, so the two do not belong together. */
function checkBias(name: string, original: string, biased: ReadonlySet<string>): void {
  const projection = /^blk\.\d+\.((?:attn_|ffn_|shortconv\.).+)\.bias$/.exec(name)?.[1];
  if (projection === undefined || biased.has(projection)) return;
  throw new NibbleError(
    "unsupported_architecture",
    `tensor ${JSON.stringify(original)} is a bias, and config.json says that this projection has none`,
  );
}

/** Every layer of the file must have a bias that config.json promises. */
function requireBiases(tensors: ReadonlyMap<string, TensorInfo>, projection: string, layers: number): void {
  for (let i = 0; i < layers; i++) {
    const name = `blk.${i}.${projection}`;
    if (tensors.has(`${name}.weight`) && !tensors.has(`${name}.bias`))
      throw new NibbleError("missing_tensor", `the bias of ${name} is missing; config.json says that there is one`);
  }
}

/** A tensor's name in GGUF; undefined for a tensor that the family does not have. */
export function ggufName(name: string, family: Family, layers: number = Infinity): string | undefined {
  const inner = withoutPrefix(name, family);
  return family.modelTensors?.get(inner) ?? modelNames.get(inner) ?? layerName(inner, layers, family);
}

/** The number of a layer, and the names inside of it. */
const LAYER_PARAMETER = /^(0|[1-9]\d{0,4})\.(.+)$/;
const LAYER_TENSOR = /^(0|[1-9]\d{0,4})\.(.+)\.(weight|bias)$/;

function withoutPrefix(name: string, { prefix = "model." }: Family): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** The parts of `layers.7.self_attn.q_proj.weight`. */
function layerParts(
  inner: string,
  { layers: begin = "layers." }: Family,
  form: RegExp = LAYER_TENSOR,
): RegExpExecArray | null {
  return inner.startsWith(begin) ? form.exec(inner.slice(begin.length)) : null;
}

/** `layers.7.self_attn.q_proj.weight` to `blk.7.attn_q.weight`. */
function layerName(name: string, layers: number, family: Family): string | undefined {
  const parameter = layerParts(name, family, LAYER_PARAMETER);
  const found = parameter && Number(parameter[1]) < layers && family.parameters?.get(parameter[2]!);
  if (found) return `blk.${parameter[1]}.${found}`;
  const match = layerParts(name, family);
  if (!match || Number(match[1]) >= layers) return undefined;
  const translated = family.layerTensors.get(match[2]!);
  return translated && `blk.${match[1]}.${translated}.${match[3]}`;
}

/**
 * The tensor as a checkpoint has it.
 * @param name its GGUF name
 * @throws NibbleError `unsupported_type`
 */
export function toInfo(name: string, tensor: SafetensorsTensor): TensorInfo {
  const { dtype, shape, source, offset, byteLength } = tensor;
  if (!readable.has(dtype)) {
    throw new NibbleError(
      "unsupported_type",
      `tensor ${JSON.stringify(tensor.name)}: dtype ${dtype} is not supported; F32, F16 and BF16 are`,
    );
  }
  return { name, type: dtype as TensorType, shape, source, offset, byteLength };
}

/** A norm's weight w as GGUF stores it: 1 + w in f32, which is the sum that transformers computes. */
const plusOne = (w: number): number => 1 + w;
