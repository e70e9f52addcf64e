/**
 * Checkpoints whose weights other tools have quantised. They are refused by the tool's name, with what to fetch instead.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { isObject } from "../../base/json.ts";

/** Names of the methods, by `quantization_config.quant_method`. */
const METHODS: Readonly<Record<string, string>> = {
  gptq: "GPTQ",
  awq: "AWQ",
  bitsandbytes: "bitsandbytes",
  "compressed-tensors": "compressed-tensors (LLM Compressor)",
  fp8: "fp8",
  fbgemm_fp8: "fp8 (FBGEMM)",
  mxfp4: "MXFP4",
  modelopt: "ModelOpt",
  torchao: "torchao",
  quanto: "Quanto",
  hqq: "HQQ",
};

/** Endings of tensor names that only quantised weights have. */
const TENSORS: readonly (readonly [form: RegExp, method: string])[] = [
  [/\.(qweight|qzeros|g_idx)$/, "GPTQ or AWQ"],
  [/\.(absmax|quant_map|quant_state\..+|SCB)$/, "bitsandbytes"],
  [/\.(weight_packed|weight_shape|weight_zero_point)$/, "compressed-tensors (LLM Compressor)"],
  [/\.(weight_scale|weight_scale_inv|input_scale|activation_scale)$/, "fp8 or compressed-tensors"],
  [/\.(scales|biases)$/, "MLX"],
];

/** @throws NibbleError `unsupported_type` for a config.json that says so */
export function refuseQuantized(config: JsonObject): void {
  if (isObject(config.get("quantization"))) throw quantized("config.json quantization", "MLX");
  for (const key of ["quantization_config", "compression_config"]) {
    const settings = config.get(key);
    if (!isObject(settings) || settings.size === 0) continue;
    // MLX writes its settings under both keys, and names no method.
    const isMlx = settings.has("group_size") && settings.has("bits") && !settings.has("quant_method");
    const method = String(settings.get("quant_method") ?? (isMlx ? "MLX" : "another tool"));
    throw quantized(`config.json ${key}`, METHODS[method] ?? method);
  }
}

/** @throws NibbleError `unsupported_type` for the name of a tensor that only a quantised checkpoint has */
export function refuseQuantizedTensor(name: string): void {
  const method = TENSORS.find(([form]) => form.test(name))?.[1];
  if (method !== undefined) throw quantized(`tensor ${JSON.stringify(name)}`, method);
}

function quantized(where: string, method: string): NibbleError {
  return new NibbleError(
    "unsupported_type",
    `${where}: weights quantised by ${method} are not supported; use a GGUF file of the model, such as its Q4_K_M or Q8_0, or its original folder with weights in F32, F16 or BF16`,
  );
}
