/**
 * The tokenizer of a server, by its /tokenize.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { ServerPool } from "../batch/pool.ts";
import { isObject } from "../batch/request.ts";
import { type EncodedPair, encodePair, encodeText } from "./encoding.ts";

/** Texts whose tokens are kept: the choices of a row have their context in common. */
const MAX_KEPT = 4096;

/** The rules of `encoding.ts` ask a tokenizer that answers at once; what it has to ask the server first is fetched between two attempts. */
export class ServerTokenizer {
  readonly #pool: ServerPool;
  readonly #model: string;
  readonly #info: { readonly endIds: readonly number[] };
  readonly #known = new Map<string, readonly number[]>();

  constructor(pool: ServerPool, model: string, endIds: readonly number[]) {
    this.#pool = pool;
    this.#model = model;
    this.#info = { endIds };
  }

  /** @throws the signal's reason; NibbleError `not_supported` for a server without /tokenize */
  encodeText(text: string, signal?: AbortSignal): Promise<number[]> {
    return this.#attempt((model) => encodeText(model, text), signal);
  }

  /** @throws the signal's reason; NibbleError `not_supported` for a server without /tokenize */
  encodePair(context: string, continuation: string, signal?: AbortSignal): Promise<EncodedPair> {
    return this.#attempt((model) => encodePair(model, context, continuation), signal);
  }

  async #attempt<T>(encode: (model: Parameters<typeof encodePair>[0]) => T, signal?: AbortSignal): Promise<T> {
    for (;;) {
      const missing = new Map<string, readonly [text: string, special: boolean]>();
      const tokenize = (text: string, { addBos = true }: { addBos?: boolean } = {}): number[] => {
        const key = `${addBos ? "+" : "-"}${text}`;
        const ids = this.#known.get(key);
        if (!ids) missing.set(key, [text, addBos]);
        return [...(ids ?? [])];
      };
      const result = encode({ tokenize, info: this.#info } as unknown as Parameters<typeof encodePair>[0]);
      if (missing.size === 0) return result;
      const fetched = [...missing].map(
        async ([key, [text, special]]) => [key, await this.#ask(text, special, signal)] as const,
      );
      const all = await Promise.all(fetched);
      if (this.#known.size > MAX_KEPT) this.#known.clear();
      for (const [key, ids] of all) this.#known.set(key, ids);
    }
  }

  /** llama-server's form of the request, which nibble has too, or else vLLM's. */
  async #ask(text: string, special: boolean, signal?: AbortSignal): Promise<readonly number[]> {
    const forms = [
      { content: text, add_special: special, parse_special: true },
      { model: this.#model, prompt: text, add_special_tokens: special },
    ];
    for (const body of forms) {
      const outcome = await this.#pool.ask({ path: "/tokenize", body }, signal);
      const answer = "status" in outcome && outcome.status === 200 && isObject(outcome.body) ? outcome.body : {};
      if (Array.isArray(answer.tokens)) return answer.tokens as number[];
    }
    throw new NibbleError(
      "not_supported",
      "the servers have no /tokenize, which the rules of benchmarks need; nibble serve, llama-server and vLLM have it",
    );
  }
}
