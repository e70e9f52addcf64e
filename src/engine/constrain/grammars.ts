/**
 * The grammars of a model's requests. Each is compiled once and kept for later requests with the same grammar.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { CALL_TAGS } from "../../chat/tool-format.ts";
import { compileGrammar, type GrammarSource } from "../../grammar/compile.ts";
import { Matcher } from "../../grammar/matcher/matcher.ts";
import { TokenMasks } from "../../grammar/matcher/token-masks.ts";
import { buildTokenTrie, type TokenTrie } from "../../grammar/matcher/token-trie.ts";
import type { Tokenizer } from "../../tokenizer/types.ts";
import { type ReasoningTokens, reasoningTokens } from "./reasoning-end.ts";

/** How many grammars are kept, with their masks of up to 16 MiB each. */
const MAX_KEPT = 8;

/** A key that is equal for equal sources. A schema from outside may have cycles, or be deeper than the stack. */
function nameOf(source: GrammarSource): string {
  try {
    return JSON.stringify(source);
  } catch (error) {
    throw new NibbleError(
      "invalid_argument",
      "schema: the object has cycles, or is nested too deeply, so it is not JSON",
      { cause: error },
    );
  }
}

export class Grammars {
  readonly #tokenizer: Tokenizer;
  /** Least recently used first. */
  readonly #kept = new Map<string, TokenMasks>();
  /** The trie of the whole vocabulary, which is made for the first grammar. */
  #trie: TokenTrie | undefined;
  #reasoning: ReasoningTokens | undefined;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  get reasoning(): ReasoningTokens {
    this.#reasoning ??= reasoningTokens(this.#tokenizer);
    return this.#reasoning;
  }

  /** @throws NibbleError `invalid_argument` if it is no grammar, not supported, or too large */
  compile(source: GrammarSource): TokenMasks {
    const key = nameOf(source);
    let masks = this.#kept.get(key);
    if (!masks) {
      const matcher = new Matcher(compileGrammar(source, this.#tokenizer));
      this.#trie ??= buildTokenTrie(this.#tokenizer, CALL_TAGS);
      masks = new TokenMasks(matcher, this.#trie);
    }
    this.#kept.delete(key);
    this.#kept.set(key, masks);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return masks;
  }
}
