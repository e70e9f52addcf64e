/**
 * LoRA adapters of a command's model, by llama.cpp's flags.
 * @module
 */
import type { LoraOption } from "../load/adapters.ts";
import type { LoadOptions } from "../load/options.ts";
import { type Flag, readNumber, repeated, type Values } from "./flags.ts";

interface LoraFlags {
  readonly [name: string]: Flag<unknown>;
  readonly lora: Flag<LoraOption[]>;
  readonly loraScaled: Flag<LoraOption[]>;
}

export const loraFlags: LoraFlags = {
  lora: repeated<LoraOption>({
    names: "--lora",
    placeholder: "FILE",
    expected: "a file or folder",
    help: "a LoRA adapter (GGUF, or PEFT's folder); may come more than once",
    read: (source) => (source === "" ? undefined : { source }),
  }),
  loraScaled: repeated<LoraOption>({
    names: "--lora-scaled",
    placeholder: "FILE SCALE",
    expected: "a file or folder, and a number",
    help: "a LoRA adapter, applied with SCALE (0: off unless a request asks for it)",
    read(source, more) {
      const scale = readNumber(more?.() ?? "", {});
      return source === "" || scale === undefined ? undefined : { source, scale };
    },
  }),
};

/** The adapters to load: those of `--lora`, then those of `--lora-scaled`. Their ids follow this order. */
export function loraOptions({ lora = [], loraScaled = [] }: Partial<Values<LoraFlags>>): Pick<LoadOptions, "lora"> {
  const all = [...lora, ...loraScaled];
  return all.length > 0 ? { lora: all } : {};
}
