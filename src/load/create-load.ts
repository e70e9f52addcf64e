/**
 * `load` for a host, which makes a model from a source; and `plan`, which tells what memory that will take.
 * @module
 */

import { chooseTemplate } from "../chat/named-templates.ts";
import { createModel, type Model } from "../engine/model.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { GgufMetadata } from "../formats/gguf/packed-metadata.ts";
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import { createTokenizer } from "../tokenizer/create.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { checkAdapters } from "./adapters.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { loadExecutor, planOnHost } from "./executor.ts";
import type { Host } from "./host.ts";
import { chatTemplates, modelFacts, modelName, poolingDefault, samplingDefaults } from "./model-defaults.ts";
import { checkOptions, type LoadOptions } from "./options.ts";
import type { ModelSource } from "./source.ts";

/** Loads a model. See `load` of the entries. */
export type Load = (source: ModelSource, options?: LoadOptions) => Promise<Model>;

/** The model that `load` will make of a source with the same options. */
export interface ModelPlan {
  /** The name that answers will carry. */
  readonly name: string;
  /** `general.architecture`, such as "llama4". */
  readonly architecture: string;
  /** Most tokens of one conversation, as the options or their default say. */
  readonly contextLength: number;
  /** Threads that will compute. */
  readonly threads: number;
  /** Bytes of each part of the memory, and of all. */
  readonly memory: MemoryPlan;
}

/** Says what loading a model will take. See `plan` of the entries. */
export type Plan = (source: ModelSource, options?: LoadOptions) => Promise<ModelPlan>;

export function createLoad(host: Host): Load {
  return (source, options = {}) =>
    withCheckpoint(source, host, options, async (checkpoint) => {
      // Before the weights: a name that the model does not have is refused at once, and the list of names is still there.
      const own = chatTemplates(checkpoint);
      const templates = options.chatTemplate === undefined ? own : chooseTemplate(own, options.chatTemplate);
      let tokenizer: Tokenizer | undefined;
      const executor = await loadExecutor(checkpoint, host, options, () => {
        tokenizer = createTokenizer(checkpoint);
        if (checkpoint.metadata instanceof GgufMetadata) checkpoint.metadata.dropPacked();
      });
      return createModel({
        name: options.name ?? modelName(source, checkpoint),
        architecture: checkpoint.architecture,
        tokenizer: tokenizer!,
        executor,
        templates,
        defaults: samplingDefaults(checkpoint.metadata),
        adapters: checkAdapters(options.lora),
        pooling: poolingDefault(checkpoint),
        scheduler: { loopPerRequest: host.loopPerRequest },
        facts: {
          ...modelFacts(checkpoint),
          template: templates.get("default"),
          memory: executor.plan,
          threads: executor.threads,
          revectorized: executor.revectorized,
        },
      });
    });
}

export function createPlan(host: Host): Plan {
  return (source, options = {}) =>
    withCheckpoint(source, host, options, async (checkpoint) => {
      const { memoryPlan, memoryOptions, threads } = await planOnHost(checkpoint, host, options);
      return {
        name: options.name ?? modelName(source, checkpoint),
        architecture: checkpoint.architecture,
        contextLength: memoryOptions.contextLength,
        threads,
        memory: memoryPlan,
      };
    });
}

/** Runs `action` on the open checkpoint. Nothing reads its files afterwards, so they are closed. */
async function withCheckpoint<T>(
  source: ModelSource,
  host: Host,
  options: LoadOptions,
  action: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  checkOptions(options);
  const checkpoint = await openCheckpoint(source, host);
  try {
    return await action(checkpoint);
  } finally {
    await checkpoint.close();
  }
}
