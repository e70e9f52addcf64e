/**
 * LoRA adapters of a command's model, by llama.cpp's flags.
 * @module
 */

import type { LoraOption } from "../load/adapters.ts";
import type { RuntimeOptions } from "../load/executor.ts";
import { type Flag, readNumber, repeated, type Values } from "./flags.ts";

interface LoraFlags {
  readonly [name: string]: Flag<unknown>;
  readonly lora: Flag<LoraOption[]>;
  readonly loraScaled: Flag<LoraOption[]>;
}

export const loraFlags: LoraFlags = {
  lora: repeated<LoraOption>(
    "--lora",
    "FILE",
    "a file or folder",
    "a LoRA adapter (GGUF, or PEFT's folder); may come more than once",
    (source) => (source === "" ? undefined : { source }),
  ),
  loraScaled: repeated<LoraOption>(
    "--lora-scaled",
    "FILE SCALE",
    "a file or folder, and a number",
    "the same, as strongly as SCALE says (0: only where a request asks)",
    (source, more) => {
      const scale = readNumber(more?.() ?? "", {});
      return source === "" || scale === undefined ? undefined : { source, scale };
    },
  ),
};

/** Numbered in this order: those of `--lora`, then those of `--lora-scaled`. */
export function loraOptions({ lora = [], loraScaled = [] }: Partial<Values<LoraFlags>>): Pick<RuntimeOptions, "lora"> {
  const all = [...lora, ...loraScaled];
  return all.length > 0 ? { lora: all } : {};
}
