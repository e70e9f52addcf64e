/**
 * Adapters in GGUF files: `general.type` is "adapter", `adapter.type` is "lora", and the tensors are NAME.lora_a and
 * NAME.lora_b (llama.cpp, src/llama-adapter.cpp).
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import type { Checkpoint, TensorInfo } from "../checkpoint.ts";
import { readGgufHeader } from "../gguf/header.ts";
import { isPermuted } from "../permute.ts";
import { getNumber, getString } from "../typed-values.ts";
import { type AdapterFile, pairMatrices } from "./products.ts";

/**
 * Reads the header of an adapter. After an error the file is closed.
 * @throws NibbleError with a format code
 */
export async function readGgufAdapter(file: ByteSource, base: Checkpoint): Promise<AdapterFile> {
  const close = async () => void (await file.close?.());
  try {
    const { metadata, tensors } = await readGgufHeader(file);
    expectString(metadata, "general.type", "adapter");
    expectString(metadata, "adapter.type", "lora");
    expectString(metadata, "general.architecture", base.architecture);
    if (metadata.has("adapter.alora.invocation_tokens"))
      throw new NibbleError(
        "unsupported_architecture",
        "adapter: activated LoRA (aLoRA) is not supported; plain LoRA is",
      );
    const alpha = getNumber(metadata, "adapter.lora.alpha", { default: 0 });
    const matrices = { a: new Map<string, TensorInfo>(), b: new Map<string, TensorInfo>() };
    for (const info of tensors) {
      const [, name, letter] = /^(.+)\.lora_([ab])$/.exec(info.name) ?? [];
      if (name === undefined) {
        const message = `adapter: expected tensors NAME.lora_a and NAME.lora_b, got ${info.name}`;
        throw new NibbleError("unsupported_architecture", message);
      }
      matrices[letter as "a" | "b"].set(name, info);
    }
    // As in llama.cpp, a missing alpha means a scale of 1.
    const products = pairMatrices(matrices, (_, rank) => (alpha === 0 ? 1 : alpha / rank));
    return { products, permutedQK: isPermuted(base.architecture), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function expectString(metadata: ReadonlyMap<string, unknown>, key: string, expected: string): void {
  const value = getString(metadata, key, { default: "" });
  if (value === expected) return;
  const code = key === "general.architecture" ? "unsupported_architecture" : "bad_value";
  throw new NibbleError(code, `adapter, ${key}: expected "${expected}", got ${JSON.stringify(value)}`);
}
