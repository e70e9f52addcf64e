/**
 * The tokens of a Hugging Face folder that begin and end texts.
 * @module
 */
import type { JsonObject } from "../base/json.ts";
import type { Metadata } from "../formats/checkpoint.ts";
import { getBoolean, getNumbers } from "../formats/typed-values.ts";
import { type Around, aroundOf, symmetric } from "./around.ts";
import { optionalId } from "./gguf.ts";
import { contentOf } from "./huggingface-added.ts";
import { bad } from "./huggingface-json.ts";
import type { IdOf } from "./huggingface-pipeline.ts";
import type { TokenizerParts } from "./tokenizer.ts";

/**
 * BOS and EOS, by the post_processor, then by tokenizer_config.json, then by the metadata.
 * @throws NibbleError `bad_tokenizer` and the codes of src/formats/typed-values.ts
 */
export function tokenRoles(files: {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject | undefined;
  readonly metadata: Metadata;
  readonly idOf: IdOf;
}): Pick<TokenizerParts, "bosId" | "eosId" | "endIds" | "addBos" | "around"> {
  const { tokenizer, config, metadata, idOf } = files;
  const configId = (key: string): number | undefined => idOf(contentOf(config?.get(key)));
  const bosId = configId("bos_token") ?? optionalId(metadata, "tokenizer.ggml.bos_token_id");
  const eosId = configId("eos_token") ?? optionalId(metadata, "tokenizer.ggml.eos_token_id");
  const around = withEnd(aroundOf(tokenizer, idOf), config, eosId);
  return {
    bosId: around.before[0] ?? bosId,
    eosId,
    endIds: Array.from(getNumbers(metadata, "nibble.end_token_ids") ?? []),
    ...withBos(around, bosId, config),
  };
}

/** `add_eos_token` of tokenizer_config.json, for a tokenizer.json whose template puts nothing behind a text. */
function withEnd(around: Around, config: JsonObject | undefined, eosId: number | undefined): Around {
  const asked = getBoolean(config ?? new Map(), "add_eos_token", { default: false });
  if (!asked || around.after.length > 0 || eosId === undefined) return around;
  return symmetric(around.before, [eosId], []);
}

/** The same for `add_bos_token`, which is in front of a text that is to be continued, too. */
function withBos(
  around: Around,
  bosId: number | undefined,
  config: JsonObject | undefined,
): Pick<TokenizerParts, "addBos" | "around"> {
  if (around.before.length > 1) throw bad("post_processor", "one token in front of a text", around.before.length);
  if (around.before.length > 0) return { addBos: true, around };
  const addBos = getBoolean(config ?? new Map(), "add_bos_token", { default: false });
  if (!addBos || bosId === undefined) return { addBos, around };
  return { addBos, around: symmetric([bosId], around.after, []) };
}
