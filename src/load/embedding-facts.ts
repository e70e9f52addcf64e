/**
 * What a checkpoint says about embeddings and scores, under llama.cpp's keys and our own
 * (src/formats/huggingface/sentence-transformers.ts).
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { DEFAULT_FACTS, type EmbeddingFacts, type RankFacts } from "../engine/generate/embedding-facts.ts";
import type { Pooling } from "../engine/schedule/batch-plan.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { getBoolean, getNumber, getString, getStrings } from "../formats/typed-values.ts";

/** Values of `{architecture}.pooling_type`. Rank is the last one. */
const POOLINGS: readonly (Pooling | "rank")[] = ["none", "mean", "cls", "last", "rank"];

/** @throws NibbleError `unsupported_architecture` for another pooling or for a head with other results, `bad_type` */
export function embeddingFacts(checkpoint: Checkpoint): EmbeddingFacts {
  const { metadata, architecture } = checkpoint;
  const key = `${architecture}.pooling_type`;
  const type = metadata.has(key) ? getNumber(metadata, key) : undefined;
  const pooling = type === undefined || type === -1 ? DEFAULT_FACTS.pooling : POOLINGS[type];
  if (pooling === undefined)
    throw new NibbleError("unsupported_architecture", `${key}: ${type} is not supported; 0 to 4 are`);
  const names = getStrings(metadata, "nibble.embedding.prompt_names") ?? [];
  const texts = getStrings(metadata, "nibble.embedding.prompts") ?? [];
  const length = "nibble.embedding.max_length";
  return {
    pooling: pooling === "rank" ? DEFAULT_FACTS.pooling : pooling,
    normalize: getBoolean(metadata, "nibble.embedding.normalize", { default: DEFAULT_FACTS.normalize }),
    prompts: new Map(names.map((name, i) => [name, texts[i] ?? ""])),
    ...optional("defaultPrompt", getString(metadata, "nibble.embedding.default_prompt", { default: "" })),
    ...optional("similarity", getString(metadata, "nibble.embedding.similarity", { default: "" })),
    ...(metadata.has(length) && { maxLength: getNumber(metadata, length, { integer: true, min: 1 }) }),
    ...(pooling === "rank" && { rank: rankFacts(checkpoint) }),
  };
}

const optional = (name: "defaultPrompt" | "similarity", value: string): Partial<EmbeddingFacts> =>
  value === "" ? {} : { [name]: value };

/** As in llama.cpp, the state of a causal model's last token is ranked, and that of an encoder's first one. */
function rankFacts({ metadata, tensors, architecture }: Checkpoint): RankFacts {
  const results = tensors.get("cls.output.weight")?.shape[0];
  const labels = getStrings(metadata, `${architecture}.classifier.output_labels`) ?? [];
  const pooling = architecture === "bert" ? "cls" : "last";
  const score = getString(metadata, "nibble.rank.score", { default: "identity" });
  if (results === 2 && labels.join() === "yes,no") return { pooling, score: "softmax" };
  if (results === 1) return { pooling, score: score === "sigmoid" ? "sigmoid" : "identity" };
  throw new NibbleError(
    "unsupported_architecture",
    `cls.output.weight: expected a head with one result, or two of the labels yes and no, got ${results ?? "none"}` +
      (labels.length > 0 ? ` (${labels.join(", ")})` : ""),
  );
}
