/**
 * The facts of a model that its requests are checked against.
 * @module
 */
import type { Grammars } from "../constrain/grammars.ts";
import type { SamplingDefaults } from "../sample/defaults.ts";
import type { LoraInfo } from "./lora.ts";

export interface RequestContext {
  readonly vocabSize: number;
  /** Most tokens of a prompt and its answer together. */
  readonly contextLength: number;
  /** The tokens that end an answer, unless the request says otherwise. */
  readonly endIds: ReadonlySet<number>;
  /** The sampling settings that a request does not name. */
  readonly defaults: SamplingDefaults;
  readonly grammars: Grammars;
  /** Encodes a piece of text, without BOS. */
  readonly encode: (text: string) => readonly number[];
  readonly adapters: readonly LoraInfo[];
}
