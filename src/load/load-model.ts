/**
 * From an open checkpoint to a model.
 * @module
 */
import { chooseTemplate } from "../chat/named-templates.ts";
import type { Core } from "../engine/core.ts";
import { createModel, type Model } from "../engine/model.ts";
import type { DraftFacts } from "../engine/model-info.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { GgufMetadata } from "../formats/gguf/packed-metadata.ts";
import { createTokenizer } from "../tokenizer/create.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { checkAdapters } from "./adapters.ts";
import { checkVocabulary } from "./draft-facts.ts";
import { embeddingFacts } from "./embedding-facts.ts";
import { loadExecutor } from "./executor.ts";
import type { Host } from "./host.ts";
import { chatTemplates, fileFacts, modelName, samplingDefaults } from "./model-defaults.ts";
import type { LoadOptions } from "./options.ts";
import type { ModelSource } from "./source.ts";

/** A draft model that is loaded. */
export interface Draft {
  readonly core: Core;
  readonly facts: DraftFacts;
  /** Whether it was loaded for this model alone. */
  readonly owned: boolean;
}

/** A checkpoint, and how it becomes a model. */
export interface Loading {
  readonly source: ModelSource;
  readonly checkpoint: Checkpoint;
  readonly host: Host;
  /** As `checkOptions` accepts them. */
  readonly options: LoadOptions;
  readonly draft?: Draft | undefined;
}

/** @throws NibbleError as `loadExecutor`; `invalid_argument` for a draft model of another vocabulary */
export async function loadModel({ source, checkpoint, host, options, draft }: Loading): Promise<Model> {
  // Before the weights: a name that the model does not have is refused at once, and the list of names is still there.
  const own = chatTemplates(checkpoint);
  const templates = options.chatTemplate === undefined ? own : chooseTemplate(own, options.chatTemplate);
  const embedding = embeddingFacts(checkpoint);
  let tokenizer: Tokenizer | undefined;
  const executor = await loadExecutor(checkpoint, host, options, () => {
    tokenizer = createTokenizer(checkpoint);
    if (checkpoint.metadata instanceof GgufMetadata) checkpoint.metadata.dropPacked();
    if (draft) checkVocabulary(tokenizer, draft.core.tokenizer);
  });
  return createModel({
    name: options.name ?? modelName(source, checkpoint),
    architecture: checkpoint.architecture,
    tokenizer: tokenizer!,
    executor,
    templates,
    spmInfill: options.spmInfill,
    defaults: samplingDefaults(checkpoint.metadata),
    adapters: checkAdapters(options.lora),
    embedding,
    rankTemplate: own.get("rerank"),
    scheduler: { loopPerRequest: host.loopPerRequest, measured: true },
    draft: draft && { ...draft, cost: draft.facts.memory.weights / executor.plan.weights },
    facts: {
      ...fileFacts(checkpoint),
      template: templates.get("default"),
      memory: executor.plan,
      threads: executor.threads,
      revectorized: executor.revectorized,
      ...(draft && { draft: draft.facts }),
    },
  });
}
