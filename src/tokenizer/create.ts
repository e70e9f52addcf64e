/**
 * Makes tokenizers, which turn text into token ids and back.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { parseJsonObject } from "../base/json.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { readGgufTokenizer } from "./gguf.ts";
import { PIPELINE_KEY, readPipelineTokenizer } from "./gguf-pipeline.ts";
import { readHuggingFaceTokenizer } from "./huggingface.ts";
import { TextTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./types.ts";

/**
 * The tokenizer of a model, read from tokenizer.json where there is one, else from GGUF metadata. It keeps nothing of
 * `checkpoint`. Its ids are those of Hugging Face's `tokenizers` 0.23.
 * @throws NibbleError `bad_tokenizer` if the files are damaged, or need a kind of tokenizer that is not supported
 */
export function createTokenizer(checkpoint: Pick<Checkpoint, "metadata" | "huggingFace">): Tokenizer {
  const { metadata, huggingFace } = checkpoint;
  const json = huggingFace?.tokenizer;
  try {
    const parts =
      json === undefined
        ? (metadata.has(PIPELINE_KEY) ? readPipelineTokenizer : readGgufTokenizer)(metadata)
        : readHuggingFaceTokenizer(json, huggingFace?.tokenizerConfig, metadata);
    return new TextTokenizer(parts, metadata);
  } catch (error) {
    if (!(error instanceof NibbleError) || error.code === "bad_tokenizer") throw error;
    throw new NibbleError("bad_tokenizer", error.message, { cause: error });
  }
}

/**
 * A tokenizer without a model, from the text or the UTF-8 bytes of its files.
 * @param tokenizer tokenizer.json
 * @param config tokenizer_config.json, which names the BOS and EOS tokens; without it the tokenizer may have none
 * @throws NibbleError `bad_json` for a file that is not a JSON object, `bad_tokenizer` as `createTokenizer`
 */
export function readTokenizer(tokenizer: string | Uint8Array, config?: string | Uint8Array): Tokenizer {
  return createTokenizer({
    metadata: new Map(),
    huggingFace: {
      config: new Map(),
      generationConfig: undefined,
      chatTemplates: new Map(),
      tokenizer: parseJsonObject(tokenizer, { name: "tokenizer.json" }),
      tokenizerConfig:
        config === undefined
          ? undefined
          : parseJsonObject(config, { name: "tokenizer_config.json", roundIntegers: true }),
    },
  });
}
