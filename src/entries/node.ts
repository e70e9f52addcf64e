/**
 * nibble: small reasoning language models on any CPU.
 *
 * ```ts
 * import { load } from "nibble-llm";
 * const model = await load("crumb");
 * const answer = await model.chat.completions.create({ messages: [{ role: "user", content: "How much is 8 * 33?" }] });
 * console.log(answer.choices[0]?.message.content);
 * ```
 * @module
 */
import { nodeHost } from "../hosts/node/host.ts";
import { nodeHub } from "../hosts/node/hub.ts";
import { createModels, type Models } from "../hub/models.ts";
import { createLoad, createPlan, type Load, type Plan } from "../load/create-load.ts";

export * from "./public.ts";

/**
 * Loads a model. The source is one of
 * - a name: `"crumb"`, which is inside the package, or `"smollm2:135m"`, `"hf:owner/repo:q4_k_m"` or an https URL, which are
 *   fetched once and kept in the cache directory;
 * - the path or file URL of a GGUF file, of the first shard of a split one, or of a Hugging Face folder;
 * - bytes, a Blob, a Response, a stream of known size, a `ByteSource` or a `FileSet`.
 * @throws NibbleError `invalid_argument` for a wrong option or source; `missing_file`; a format code, such as `bad_magic` or
 *   `unsupported_architecture`, for a model that cannot be run; `out_of_memory`, before the first weight is read, for one
 *   that does not fit; `io_error`; for a model of the hub also `unauthorized`, `forbidden` and `bad_weights`. Rejects with
 *   the reason of `signal` when that is aborted.
 */
export const load: Load = /* @__PURE__ */ createLoad(nodeHost);

/**
 * Tells the memory, in bytes, that `load` would take with the same source and options. It reads the header and no weights.
 * @throws NibbleError as `load`; `out_of_memory`, with the figures, for a model that does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(nodeHost);

/** Models by name: `pull` fetches one before `load` needs it, `list` lists them, and `remove` deletes one. */
export const models: Models = /* @__PURE__ */ createModels(nodeHub);
