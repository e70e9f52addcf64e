/**
 * `nibble inspect`: shows what a model's files hold and what memory it takes to run it. It reads no weights.
 * @module
 */
import { type Inspection, inspectCheckpoint } from "../../../weights-tools/inspect.ts";
import { NibbleError } from "../../base/errors.ts";
import type { Checkpoint } from "../../formats/checkpoint.ts";
import type { TensorType } from "../../formats/tensor-types.ts";
import { planExecutor } from "../../load/executor.ts";
import type { LoadOptions } from "../../load/options.ts";
import type { MemoryPlan } from "../../runtime/memory-plan.ts";
import type { WeightPlacement } from "../../runtime/weight-table.ts";
import { describeLayout } from "../../runtime/weight-types.ts";
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { missing } from "../flags.ts";
import {
  givenModel,
  jsonFlag,
  loading,
  modelFlag,
  offlineFlag,
  runtimeFlags,
  runtimeOptions,
  withCheckpoint,
} from "../model.ts";
import { count, printJson, printLines, size } from "../output.ts";

const { context, kv, batch } = runtimeFlags;

export const inspect: Command = defineCommand({
  name: "inspect",
  usage: "MODEL",
  positionals: [0, 1],
  about: `Shows the header, tensors, tokenizer and memory plan of a model from its header alone; no weight is read. A model that
cannot be run is shown too, with the reason.`,
  flags: { model: modelFlag, context, kv, batch, offline: offlineFlag, json: jsonFlag },
  async run({ flags, positionals: [argument] }) {
    const source = givenModel(argument, flags.model);
    if (source === undefined) throw missing("a model", "name it as MODEL or by -m");
    const facts = await withCheckpoint(source, async (checkpoint) => ({
      ...inspectCheckpoint(checkpoint),
      tokenizer: tokenizerFacts(checkpoint),
      chatTemplate: hasTemplate(checkpoint),
      memory: await loading(source, runtimeOptions(flags), (options) => memoryFacts(checkpoint, options)),
    }));
    await (flags.json ? printJson(facts) : printLines(describe(facts)));
  },
});

/** The reason why a fact could not be found out. */
type Failure = { readonly error: { readonly code: string; readonly message: string } };

interface TokenizerFacts {
  readonly vocabSize: number;
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly endIds: readonly number[];
  readonly addBos: boolean;
}

/** The tensors of one type as they lie in memory. */
interface WeightFacts {
  readonly type: TensorType;
  readonly layout: string;
  readonly tensors: number;
  readonly bytes: number;
  readonly bitsPerWeight: number;
}

interface MemoryFacts extends Omit<MemoryPlan, "base"> {
  readonly weightTypes: readonly WeightFacts[];
  readonly contextLength: number;
  readonly kvType: string;
  readonly maxBatchTokens: number;
}

interface Facts extends Inspection {
  readonly tokenizer: TokenizerFacts | Failure;
  readonly chatTemplate: boolean;
  readonly memory: MemoryFacts | Failure;
}

function tokenizerFacts(checkpoint: Checkpoint): TokenizerFacts | Failure {
  try {
    const { vocabSize, bosId, eosId, endIds, addBos } = createTokenizer(checkpoint);
    return { vocabSize, bosId: bosId ?? null, eosId: eosId ?? null, endIds: [...endIds], addBos };
  } catch (error) {
    return failure(error);
  }
}

/** The memory that a model takes, or the reason why it cannot be run. @throws NibbleError for a wrong option */
async function memoryFacts(checkpoint: Checkpoint, options: LoadOptions): Promise<MemoryFacts | Failure> {
  try {
    const { program, memoryPlan, memoryOptions, kvType } = await planExecutor(checkpoint, options);
    const { base: _, ...sizes } = memoryPlan;
    const { contextLength, maxBatchTokens } = memoryOptions;
    return { ...sizes, weightTypes: weightFacts(program.weights.placements), contextLength, kvType, maxBatchTokens };
  } catch (error) {
    if (error instanceof NibbleError && error.code === "invalid_argument") throw error;
    return failure(error);
  }
}

/** The types by their bytes, largest first. Vectors are f32 whatever they are in the file; rows are padded to whole groups. */
function weightFacts(placements: readonly WeightPlacement[]): WeightFacts[] {
  const sums = new Map<string, { type: TensorType; layout: string; tensors: number; bytes: number; weights: number }>();
  for (const { kind, type, rows, columns, bytes } of placements) {
    const layout = kind === "vector" ? "f32" : describeLayout(type);
    const sum = sums.get(`${type} ${layout}`) ?? { type, layout, tensors: 0, bytes: 0, weights: 0 };
    sum.tensors++;
    sum.bytes += bytes;
    sum.weights += rows * columns;
    sums.set(`${type} ${layout}`, sum);
  }
  return [...sums.values()]
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ weights, ...sum }) => ({ ...sum, bitsPerWeight: (8 * sum.bytes) / weights }));
}

function failure(error: unknown): Failure {
  if (!(error instanceof NibbleError)) throw error;
  return { error: { code: error.code, message: error.message } };
}

function hasTemplate({ metadata, huggingFace }: Checkpoint): boolean {
  return huggingFace ? huggingFace.chatTemplates.size > 0 : metadata.has("tokenizer.chat_template");
}

function describe(facts: Facts): string {
  const { tokenizer, memory } = facts;
  const lines = [
    `${facts.name ?? "model"}: ${facts.format}, architecture ${facts.architecture}`,
    `${count(facts.parameters)} parameters, ${size(facts.bytes)}, ${facts.bitsPerWeight.toFixed(2)} bits per weight`,
    "",
    "tensors",
    ...facts.types.map(({ type, tensors, parameters, bytes }) =>
      row(type, `${tensors} tensors, ${count(parameters)} parameters, ${size(bytes)}`),
    ),
    "",
    "header",
    ...facts.metadata.map(({ key, value }) => row(key, show(value))),
    "",
    "tokenizer",
    ...("error" in tokenizer
      ? [row("not usable", tokenizer.error.message)]
      : Object.entries(tokenizer).map(([key, value]) => row(key, JSON.stringify(value)))),
    row("chat template", facts.chatTemplate ? "yes" : "no"),
    "",
    ...("error" in memory
      ? ["cannot be run", `  ${memory.error.message} (${memory.error.code})`]
      : describeMemory(memory)),
  ];
  return `${lines.join("\n")}\n`;
}

const REGIONS = ["constants", "program", "tables", "activations", "kvCache", "states", "weights", "total"] as const;

function describeMemory(memory: MemoryFacts): string[] {
  const { contextLength, kvType, maxBatchTokens, weightTypes } = memory;
  return [
    `memory for a context of ${contextLength}, ${kvType} KV cache, steps of ${maxBatchTokens} tokens`,
    ...REGIONS.filter((region) => region !== "states" || memory.states > 0).map((region) =>
      row(region, size(memory[region])),
    ),
    "",
    "weights in memory",
    ...weightTypes.map(({ type, layout, tensors, bytes, bitsPerWeight }) =>
      row(type, `${tensors} tensors as ${layout}, ${size(bytes)}, ${bitsPerWeight.toFixed(2)} bits per weight`),
    ),
  ];
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(44)} ${value}`;
}

const SHOWN_TEXT = 80;

function show(value: Facts["metadata"][number]["value"]): string {
  if (typeof value === "object") {
    const first = value.first.map((one) => show(one)).join(", ");
    return `[${first}${value.length > value.first.length ? `, ... ${value.length} in all` : ""}]`;
  }
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > SHOWN_TEXT ? `${value.slice(0, SHOWN_TEXT)}...` : value);
}
