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
 * Loads a model: a name (`"crumb"`; `"smollm2:135m"`, `"hf:owner/repo:q4_k_m"` or an https URL, fetched where it is not
 * here yet), the path of a GGUF file (first shard of a split one) or of a Hugging Face folder,
 * bytes, a Blob, a `ByteSource` or a `FileSet`.
 * @throws NibbleError with a format code for a file that cannot be run, `out_of_memory` before the first weight is read
 */
export const load: Load = /* @__PURE__ */ createLoad(nodeHost);

/**
 * The memory that `load` would take, from the header alone: no weight is read.
 * @throws NibbleError as `load`, before its first weight: `out_of_memory` with figures where the model does not fit
 */
export const plan: Plan = /* @__PURE__ */ createPlan(nodeHost);

/** Models by name: fetched ahead of `load`, with progress; listed; deleted. */
export const models: Models = /* @__PURE__ */ createModels(nodeHub);
