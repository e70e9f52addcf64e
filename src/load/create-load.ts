/**
 * `load` for a host, which makes a model from a source; and `plan`, which tells what memory that will take.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Model } from "../engine/model.ts";
import type { DraftFacts } from "../engine/model-info.ts";
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import { withCheckpoint } from "./checkpoint.ts";
import { planDraft, withDraft } from "./draft.ts";
import { planOnHost } from "./executor.ts";
import type { Host } from "./host.ts";
import { loadModel } from "./load-model.ts";
import { modelName } from "./model-defaults.ts";
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
  /** The draft model, whose memory comes on top; present where the options name one. */
  readonly draft?: DraftFacts;
}

/** Says what loading a model will take. See `plan` of the entries. */
export type Plan = (source: ModelSource, options?: LoadOptions) => Promise<ModelPlan>;

export function createLoad(host: Host): Load {
  return async (source, options = {}) => {
    checkOptions(options);
    return withinHost(host, options, (options) =>
      withCheckpoint(source, host, (checkpoint) =>
        withDraft({ checkpoint, host, options }, (draft) => loadModel({ source, checkpoint, host, options, draft })),
      ),
    );
  };
}

export function createPlan(host: Host): Plan {
  return async (source, options = {}) => {
    checkOptions(options);
    return withinHost(host, options, (options) =>
      withCheckpoint(source, host, async (checkpoint) => {
        const { memoryPlan, memoryOptions, threads } = await planOnHost(checkpoint, host, options);
        const draft = await planDraft({ checkpoint, host, options });
        return {
          name: options.name ?? modelName(source, checkpoint),
          architecture: checkpoint.architecture,
          contextLength: memoryOptions.contextLength,
          threads,
          memory: memoryPlan,
          ...(draft && { draft }),
        };
      }),
    );
  };
}

/** Runs `action` with the host's limit of memory where the options have none, and gives its reason with the refusal. */
async function withinHost<T>(
  { memory }: Host,
  options: LoadOptions,
  action: (options: LoadOptions) => Promise<T>,
): Promise<T> {
  if (!memory || options.memoryLimit !== undefined) return action(options);
  return action({ ...options, memoryLimit: memory.limit }).catch((error) => {
    if (!(error instanceof NibbleError) || error.code !== "out_of_memory") throw error;
    throw new NibbleError("out_of_memory", `${error.message}. ${memory.reason}`, { cause: error });
  });
}
