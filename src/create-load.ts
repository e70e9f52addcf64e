/**
 * `load` for a host: from a source to a model that answers.
 * @module
 */
import { poolingDefault, samplingDefaults } from "./engine/defaults.ts";
import { createModel, type Model } from "./engine/model.ts";
import type { Checkpoint } from "./formats/types.ts";
import type { Host } from "./hosts/host.ts";
import { checkOptions, loadExecutor, type ModelSource, openCheckpoint, type RuntimeOptions } from "./load.ts";
import { createTokenizer } from "./tokenizer/index.ts";
import type { Tokenizer } from "./tokenizer/types.ts";

export interface LoadOptions extends RuntimeOptions {
  /** The name that answers carry in `model`. Default: the source's name. */
  name?: string;
}

export type Load = (source: ModelSource, options?: LoadOptions) => Promise<Model>;

export function createLoad(host: Host): Load {
  return async (source, options = {}) => {
    checkOptions(options);
    const checkpoint = await openCheckpoint(source, host);
    try {
      let tokenizer: Tokenizer | undefined;
      const executor = await loadExecutor(checkpoint, host, options, () => {
        tokenizer = createTokenizer(checkpoint);
      });
      return createModel({
        name: options.name ?? nameOf(source, checkpoint),
        architecture: checkpoint.architecture,
        tokenizer: tokenizer!,
        executor,
        template: chatTemplate(checkpoint),
        defaults: samplingDefaults(checkpoint.metadata),
        pooling: poolingDefault(checkpoint.metadata, checkpoint.architecture),
        facts: { format: checkpoint.format, memory: executor.plan },
      });
    } finally {
      // All weights are in place: nothing reads the files any more.
      await checkpoint.close();
    }
  };
}

function chatTemplate({ metadata, huggingFace }: Checkpoint): string | undefined {
  const template = huggingFace ? huggingFace.chatTemplate : metadata.get("tokenizer.chat_template");
  return typeof template === "string" ? template : undefined;
}

function nameOf(source: ModelSource, { metadata }: Checkpoint): string {
  if (typeof source === "string" || source instanceof URL) return String(source).replace(/\/+$/, "").split("/").pop()!;
  const name = metadata.get("general.name");
  return typeof name === "string" ? name : "model";
}
