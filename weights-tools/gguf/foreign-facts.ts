/**
 * Facts of a model that nibble reads from a GGUF and llama.cpp does not, so that it would compute something else.
 * @module
 */
import type { Metadata, MetadataValue } from "../../src/formats/checkpoint.ts";

interface ForeignFact {
  /** Without the architecture, where the key begins with it. */
  readonly key: string;
  /** The architectures that it is about. Undefined: all. */
  readonly architectures?: readonly string[];
  readonly note: (value: MetadataValue) => string;
}

const FACTS: readonly ForeignFact[] = [
  {
    key: "{a}.attention.sliding_window",
    architectures: ["llama", "smollm3", "mistral3", "qwen2", "qwen3"],
    note: (value) =>
      `the sliding window of ${value} tokens is kept, but llama.cpp lets every layer attend to all tokens`,
  },
  {
    key: "nibble.use_rope",
    architectures: ["smollm3"],
    note: () => "the list of layers without RoPE is kept, but llama.cpp takes every fourth",
  },
  {
    key: "nibble.rope.scaling.yarn_truncate",
    note: () => "YaRN's ramp is not rounded to whole pairs, but llama.cpp rounds it",
  },
];

/** A note for each such fact. */
export function foreignFacts(metadata: Metadata, architecture: string): string[] {
  if (architecture === "mobilellm")
    return ["llama.cpp does not have the architecture mobilellm; nibble reads the file"];
  return FACTS.flatMap(({ key, architectures, note }) => {
    if (architectures && !architectures.includes(architecture)) return [];
    const value = metadata.get(key.replace("{a}", architecture));
    return value === undefined ? [] : [note(value)];
  });
}
