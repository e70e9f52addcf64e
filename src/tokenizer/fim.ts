/**
 * The tokens by which a model fills a gap in a text ("fill in the middle", Bavarian et al. 2022,
 * https://arxiv.org/abs/2207.14255): they stand in front of what comes before the gap, of what comes after it, and of the
 * answer. Files name them by GGUF's keys `tokenizer.ggml.fim_*_token_id`, or they are known by their texts, as in llama.cpp.
 * @module
 */
import type { Metadata } from "../formats/checkpoint.ts";
import { getNumber } from "../formats/typed-values.ts";

/** The ids that a model has of these. It fills gaps if it has `prefix`, `suffix` and `middle`, or is told apart by `suffixFirst`. */
export interface FimTokens {
  /** In front of the text before the gap. */
  readonly prefix?: number | undefined;
  /** In front of the text after the gap. */
  readonly suffix?: number | undefined;
  /** In front of the text of the gap. */
  readonly middle?: number | undefined;
  /** Fills up batches in training. */
  readonly pad?: number | undefined;
  /** In front of the name of a repository. */
  readonly repository?: number | undefined;
  /** In front of the name of a file. */
  readonly file?: number | undefined;
  /** Whether the model was trained with the suffix first and without a token in front of the gap, as Codestral. */
  readonly suffixFirst?: boolean;
}

type Role = Exclude<keyof FimTokens, "suffixFirst">;

/** GGUF's keys, the older name last, and the texts that llama.cpp knows. */
const ROLES: Readonly<Record<Role, { readonly keys: readonly string[]; readonly texts: readonly string[] }>> = {
  prefix: {
    keys: ["fim_pre", "prefix"],
    texts: [
      ...["<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>"],
      ...["<|code_prefix|>", "<|prefix|>", "<|plamo:fim_prefix|>"],
    ],
  },
  suffix: {
    keys: ["fim_suf", "suffix"],
    texts: [
      ...["<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>"],
      ...["<|code_suffix|>", "<|suffix|>", "<|plamo:fim_suffix|>"],
    ],
  },
  middle: {
    keys: ["fim_mid", "middle"],
    texts: [
      ...["<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>"],
      ...["<|code_middle|>", "<|middle|>", "<|plamo:fim_middle|>"],
    ],
  },
  pad: { keys: ["fim_pad"], texts: ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"] },
  repository: {
    keys: ["fim_rep"],
    texts: ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
  },
  file: { keys: ["fim_sep"], texts: ["<|file_sep|>", "<|plamo:file_separator|>"] },
};

/** Mistral's, which llama.cpp does not know: `[SUFFIX]after[PREFIX]before`, and the answer follows. */
const MISTRAL = { prefix: "[PREFIX]", suffix: "[SUFFIX]" };

/** What is asked of a vocabulary. */
export interface FimVocabulary {
  readonly size: number;
  /** The id of an added token. */
  readonly added: (text: string) => number | undefined;
  /** The id of an added token, or of any other with this spelling. */
  readonly any: (text: string) => number | undefined;
}

/**
 * The tokens of a model. A key beyond the vocabulary is passed over, as in llama.cpp. Tokens that end an answer
 * (`fimEnds`) are known by their texts only if they are added tokens: others may be parts of any text.
 */
export function fimTokens(metadata: Metadata, vocabulary: FimVocabulary): FimTokens {
  const byKey = (name: string): number | undefined => {
    const key = `tokenizer.ggml.${name}_token_id`;
    const id = metadata.has(key) ? getNumber(metadata, key, { integer: true }) : -1;
    return id >= 0 && id < vocabulary.size ? id : undefined;
  };
  const first = <T>(names: readonly T[], find: (name: T) => number | undefined): number | undefined => {
    for (const name of names) {
      const id = find(name);
      if (id !== undefined) return id;
    }
    return undefined;
  };
  const idOf = (role: Role, byText: (text: string) => number | undefined): number | undefined =>
    first(ROLES[role].keys, byKey) ?? first(ROLES[role].texts, byText);
  const [prefix, suffix] = [idOf("prefix", vocabulary.any), idOf("suffix", vocabulary.any)];
  const middle = idOf("middle", vocabulary.any);
  const ends = {
    pad: idOf("pad", vocabulary.added),
    repository: idOf("repository", vocabulary.added),
    file: idOf("file", vocabulary.added),
  };
  const mistral = { prefix: vocabulary.added(MISTRAL.prefix), suffix: vocabulary.added(MISTRAL.suffix) };
  const isMistral = [prefix, suffix, middle].every((id) => id === undefined) && Object.values(mistral).every(isKnown);
  return isMistral ? { ...mistral, ...ends, suffixFirst: true } : { prefix, suffix, middle, ...ends };
}

const isKnown = (id: number | undefined): id is number => id !== undefined;

/** The tokens that end the text of a gap, as in llama.cpp: after them the model would go on with another text. */
export function fimEnds({ pad, repository, file }: FimTokens): number[] {
  return [pad, repository, file].filter(isKnown);
}

/** The names of the tokens that a model lacks to fill gaps; none if it has them. */
export function missingFim({ prefix, suffix, middle, suffixFirst = false }: FimTokens): string[] {
  const needed = { prefix, suffix, ...(!suffixFirst && { middle }) };
  return Object.entries(needed).flatMap(([name, id]) => (id === undefined ? [name] : []));
}
