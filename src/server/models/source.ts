/**
 * The sources of a server's models: loaded by its caller, or loaded when a request asks for one.
 * @module
 */
import { invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";

/** Facts about a model that is not loaded. All of them are optional. */
export interface ModelFacts {
  /** Bytes of its files. */
  readonly bytes?: number;
  /** SHA-256 of its first file, in hexadecimal digits. */
  readonly sha256?: string;
  /** When its files were written, ISO 8601. */
  readonly modified?: string;
  /** "gguf" or "safetensors". */
  readonly format?: string;
  /** `general.architecture`, such as "qwen2". */
  readonly architecture?: string;
  readonly parameters?: number;
  /** Such as "Q4_K_M". */
  readonly quantization?: string;
}

/** A model that the server loads when a request asks for it, and disposes when it is idle or memory is short. */
export interface LazyModel {
  readonly name: string;
  /** Other names of it, which requests may use. */
  readonly aliases?: readonly string[];
  readonly facts?: ModelFacts;
  /** The model, if it is in memory already. */
  readonly loaded?: Model;
  load(): Promise<Model>;
  /** Milliseconds without a request after which it is disposed, in place of the handler's `modelsIdleMs`. */
  readonly idleMs?: number;
  /** Whether the memory that is free suffices for it. Default: `load` will tell, by an error `out_of_memory`. */
  fits?(): Promise<boolean>;
}

/** Bytes of one file that have arrived. */
export interface PullStep {
  readonly file: string;
  readonly sha256?: string;
  readonly loaded: number;
  readonly total: number;
}

/** Models that are not named when the server starts: those of a cache, and those that can be fetched into it. */
export interface ModelLibrary {
  /** Complete models, without loading them. */
  list(): Promise<readonly LazyModel[]>;
  /** Resolves to undefined if there is no complete model of this name. */
  find(name: string): Promise<LazyModel | undefined>;
  /** Fetches a model. @throws NibbleError `invalid_request` for a name that cannot be fetched; as `models.pull` */
  pull(name: string, options: { signal: AbortSignal; onProgress: (step: PullStep) => void }): Promise<void>;
}

/** Models as `createHandler` takes them. */
export type GivenModels = Model | LazyModel | readonly (Model | LazyModel)[];

/** A model of the handler's caller, or one to load. */
export type Source =
  | { readonly name: string; readonly model: Model }
  | { readonly name: string; readonly lazy: LazyModel };

/** @throws NibbleError `invalid_argument` for no model at all, or two of the same name */
export function checkModels(given: GivenModels): readonly Source[] {
  const all = (Array.isArray(given) ? given : [given]) as readonly (Model | LazyModel)[];
  if (all.length === 0) throw invalid("model", "at least one model", given, "invalid_argument");
  const sources = Array.from(all, sourceOf); // `map` would pass over holes
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw invalid("model", "models of different names", twice, "invalid_argument");
  return sources;
}

function sourceOf(model: Model | LazyModel): Source {
  const isObject = typeof model === "object" && model !== null;
  if (isObject && "info" in model) return { name: model.info.name, model };
  if (isObject && typeof model.name === "string" && typeof model.load === "function")
    return { name: model.name, lazy: model };
  throw invalid("model", "a loaded model, or an object with name and load", model, "invalid_argument");
}
