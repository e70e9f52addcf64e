/**
 * Ollama's /api/tags, /api/ps and /api/show: which models there are, which are in memory, and what one of them is.
 * @module
 */
import { Fields, invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import type { ServedModel } from "../models/served-model.ts";
import type { ModelFacts } from "../models/source.ts";
import type { Exchange } from "../route.ts";

/** The served models, then those of the library that are not served yet. */
export async function listTags({ server: { models, created } }: Exchange): Promise<object> {
  const served = models.models.map(({ name, facts, model }) => ({ name, facts: { ...facts, ...factsOf(model) } }));
  const names = new Set(served.map(({ name }) => name));
  const others = ((await models.library?.list()) ?? []).filter(({ name }) => !names.has(name));
  const all = [...served, ...others.map(({ name, facts = {} }) => ({ name, facts }))];
  return { models: all.map(({ name, facts }) => ({ ...summary(name, facts), modified_at: modified(facts, created) })) };
}

export function listLoaded({ server: { models } }: Exchange): object {
  const loaded = models.models.filter(({ model }) => model !== undefined);
  return { models: loaded.map(loadedEntry) };
}

/** Go's largest date stands for "never". */
const NEVER = "2318-01-01T00:00:00Z";

function loadedEntry({ name, facts, model, expires }: ServedModel): object {
  return {
    ...summary(name, { ...facts, ...factsOf(model) }),
    expires_at: expires === Infinity ? NEVER : new Date(expires).toISOString(),
    size_vram: 0,
    context_length: model!.info.contextLength,
  };
}

/**
 * Describes the model that the body names, which is loaded for it.
 * @throws NibbleError `not_found`, `invalid_request`
 */
export async function showModel(exchange: Exchange): Promise<object> {
  const { models, readBody } = { ...exchange.server };
  const served = await models.named(readName(await readBody(exchange.request), exchange));
  const lease = await models.acquire(served, exchange.request.signal);
  try {
    return details(served, lease.model, exchange.server.created);
  } finally {
    lease.release();
  }
}

/** The name of a model, which older clients call `name`. @throws NibbleError `invalid_request` */
export function readName(body: unknown, { rules }: Exchange, more: readonly string[] = []): string {
  const table = { known: ["model", "name"], unused: ["verbose", "system", "template", "options", ...more] };
  const fields = new Fields(body, table, "", rules);
  const name = fields.string("model", 1024) ?? fields.string("name", 1024);
  if (name === undefined || name === "") throw invalid("model", "a name", name);
  return name;
}

function details({ name, facts }: ServedModel, model: Model, created: number): object {
  const all = { ...facts, ...factsOf(model) };
  const { architecture, contextLength, hiddenSize, vocabSize, chatTemplate, template = "", infill } = model.info;
  const chats = chatTemplate !== "none";
  const reasons = typeof template === "string" && template.includes("</think>");
  return {
    modelfile: `FROM ${name}\n`,
    parameters: "",
    template,
    details: describe(all),
    model_info: {
      "general.architecture": architecture,
      "general.parameter_count": all.parameters ?? null,
      [`${architecture}.context_length`]: contextLength,
      [`${architecture}.embedding_length`]: hiddenSize,
      [`${architecture}.vocab_size`]: vocabSize,
    },
    capabilities: [
      "completion",
      ...(chats ? ["tools"] : []),
      ...(infill ? ["insert"] : []),
      ...(chats && reasons ? ["thinking"] : []),
      "embedding",
    ],
    modified_at: modified(all, created),
  };
}

function summary(name: string, facts: ModelFacts): object {
  return { name, model: name, size: facts.bytes ?? 0, digest: facts.sha256 ?? "", details: describe(facts) };
}

function describe({ format, architecture, parameters, quantization }: ModelFacts): object {
  const family = architecture ?? "";
  return {
    parent_model: "",
    format: format ?? "",
    family,
    families: family === "" ? null : [family],
    parameter_size: parameters === undefined ? "" : shortNumber(parameters),
    quantization_level: quantization ?? "",
  };
}

/** 3,300,000 is "3.3M". */
function shortNumber(count: number): string {
  const [unit, size] = count >= 1e9 ? ["B", 1e9] : count >= 1e6 ? ["M", 1e6] : ["K", 1e3];
  return `${(count / (size as number)).toFixed(1).replace(/\.0$/, "")}${unit}`;
}

/** A model in memory knows these itself. */
function factsOf(model: Model | undefined): ModelFacts {
  if (!model) return {};
  const { format, architecture, parameters, quantization, bytes } = model.info;
  const known = Object.entries({ format, architecture, parameters, quantization, bytes });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

function modified({ modified: date }: ModelFacts, created: number): string {
  return date ?? new Date(created * 1000).toISOString();
}
