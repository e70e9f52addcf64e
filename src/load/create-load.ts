/**
 * `load` for a host: from a source to a model that answers; `plan`: what that will take.
 * @module
 */

import { poolingDefault } from "../engine/generate/embedding.ts";
import { createModel, type Model } from "../engine/model.ts";
import { samplingDefaults } from "../engine/sample/defaults.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { GgufMetadata } from "../formats/gguf/packed-metadata.ts";
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import { createTokenizer } from "../tokenizer/create.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { checkAdapters } from "./adapters.ts";
import { checkOptions, loadExecutor, openCheckpoint, planExecutor, type RuntimeOptions } from "./executor.ts";
import type { Host } from "./host.ts";
import type { ModelSource } from "./source.ts";

export interface LoadOptions extends RuntimeOptions {
  /** The name that answers carry in `model`. Default: the source's name. */
  name?: string;
}

export type Load = (source: ModelSource, options?: LoadOptions) => Promise<Model>;

/** What `load` will make of a source with the same options. */
export interface ModelPlan {
  readonly name: string;
  /** `general.architecture`, such as "llama4". */
  readonly architecture: string;
  /** Most tokens of one conversation, as the options or their default say. */
  readonly contextLength: number;
  readonly threads: number;
  /** Bytes of each part of the memory, and of all. */
  readonly memory: MemoryPlan;
}

export type Plan = (source: ModelSource, options?: LoadOptions) => Promise<ModelPlan>;

export function createLoad(host: Host): Load {
  return async (source, options = {}) => {
    checkOptions(options);
    const checkpoint = await openCheckpoint(source, host);
    try {
      let tokenizer: Tokenizer | undefined;
      const executor = await loadExecutor(checkpoint, host, options, () => {
        tokenizer = createTokenizer(checkpoint);
        if (checkpoint.metadata instanceof GgufMetadata) checkpoint.metadata.dropPacked();
      });
      return createModel({
        name: options.name ?? nameOf(source, checkpoint),
        architecture: checkpoint.architecture,
        tokenizer: tokenizer!,
        executor,
        template: chatTemplate(checkpoint),
        defaults: samplingDefaults(checkpoint.metadata),
        adapters: checkAdapters(options.lora),
        pooling: poolingDefault(checkpoint.metadata, checkpoint.architecture),
        scheduler: { loopPerRequest: host.loopPerRequest },
        facts: { format: checkpoint.format, memory: executor.plan, threads: executor.threads },
      });
    } finally {
      // All weights are in place: nothing reads the files any more.
      await checkpoint.close();
    }
  };
}

export function createPlan(host: Host): Plan {
  return async (source, options = {}) => {
    checkOptions(options);
    const checkpoint = await openCheckpoint(source, host);
    try {
      const { plan, memory, threads } = await planExecutor(checkpoint, host, options);
      return {
        name: options.name ?? nameOf(source, checkpoint),
        architecture: checkpoint.architecture,
        contextLength: memory.contextLength,
        threads,
        memory: plan,
      };
    } finally {
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
