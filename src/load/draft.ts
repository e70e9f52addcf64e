/**
 * The option `draft`: opens, plans and loads the draft model of a model.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Core } from "../engine/core.ts";
import { coreOf, type Model } from "../engine/model.ts";
import type { DraftFacts } from "../engine/model-info.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { describeModel } from "../models/index.ts";
import type { MemoryPlan } from "../runtime/memory-plan.ts";
import { withCheckpoint } from "./checkpoint.ts";
import { checkMemoryOfBoth, checkVocabularySizes } from "./draft-facts.ts";
import { type HostPlan, planOnHost } from "./executor.ts";
import { type Draft, type Loading, loadModel } from "./load-model.ts";
import { modelName } from "./model-defaults.ts";
import type { LoadOptions } from "./options.ts";
import type { ModelSource } from "./source.ts";

/** The model that a draft model is for. */
type Subject = Pick<Loading, "checkpoint" | "host" | "options">;

/**
 * Runs `action` with the draft model, if the options name one. A draft model that was loaded here is disposed if the action
 * fails.
 * @throws NibbleError `invalid_argument` for a draft model of another vocabulary, `out_of_memory` where both exceed
 *   `memoryLimit`; as `load` for the draft model
 */
export async function withDraft<T>(subject: Subject, action: (draft?: Draft) => Promise<T>): Promise<T> {
  const { host, options } = subject;
  if (options.draft === undefined) return action();
  const main = await planOnHost(subject.checkpoint, host, options);
  const given = coreOf(options.draft);
  if (given) return action(givenDraft(options.draft as Model, given, main, options));
  const source = options.draft as ModelSource;
  const draft = await withCheckpoint(source, host, async (checkpoint): Promise<Draft> => {
    const { settings, facts } = await plan(source, checkpoint, main, subject);
    const model = await loadModel({ source, checkpoint, host, options: settings });
    return { core: coreOf(model)!, facts, owned: true };
  });
  try {
    return await action(draft);
  } catch (error) {
    draft.core.dispose();
    throw error;
  }
}

/** The facts of the draft model that `load` would take, if the options name one. @throws NibbleError as `withDraft` */
export async function planDraft({ checkpoint, host, options }: Subject): Promise<DraftFacts | undefined> {
  if (options.draft === undefined) return undefined;
  const main = await planOnHost(checkpoint, host, options);
  const given = coreOf(options.draft);
  if (given) return givenDraft(options.draft as Model, given, main, options).facts;
  const source = options.draft as ModelSource;
  const subject = { checkpoint, host, options };
  return withCheckpoint(source, host, async (small) => (await plan(source, small, main, subject)).facts);
}

function givenDraft({ info }: Model, core: Core, main: HostPlan, { memoryLimit }: LoadOptions): Draft {
  core.checkLive();
  const { name, architecture, contextLength } = info;
  const [threads, memory] = [info.threads, info.memory];
  check(main, { generates: core.executor.generates, vocabSize: core.executor.vocabSize, memory }, memoryLimit);
  return { core, facts: { name, architecture, contextLength, threads, memory }, owned: false };
}

/** Plans a draft model with the settings of its model, as far as they fit it. */
async function plan(
  source: ModelSource,
  checkpoint: Checkpoint,
  main: HostPlan,
  { host, options }: Subject,
): Promise<{ settings: LoadOptions; facts: DraftFacts }> {
  const { draft: _, lora, name, chatTemplate, onProgress, ...shared } = options;
  const { contextLength: most, cacheTokens } = main.memoryOptions;
  const trained = (await describeModel(checkpoint)).config.contextLength;
  const contextLength = Math.min(most, trained);
  const settings = { ...shared, contextLength, cacheTokens };
  const { program, memoryPlan: memory, threads } = await planOnHost(checkpoint, host, settings);
  check(main, { generates: program.generates, vocabSize: program.logits.width, memory }, options.memoryLimit);
  const { architecture } = checkpoint;
  return { settings, facts: { name: modelName(source, checkpoint), architecture, contextLength, threads, memory } };
}

interface Planned {
  readonly generates: boolean;
  readonly vocabSize: number;
  readonly memory: MemoryPlan;
}

function check({ program, memoryPlan }: HostPlan, draft: Planned, memoryLimit: number | undefined): void {
  if (!draft.generates || !program.generates)
    throw new NibbleError("invalid_argument", "draft: both models must generate text; one of them makes embeddings", {
      param: "draft",
    });
  checkVocabularySizes(program.logits.width, draft.vocabSize);
  checkMemoryOfBoth(memoryPlan, draft.memory, memoryLimit);
}
