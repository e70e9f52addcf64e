/**
 * The models of a server: those of its command line, and those of the cache, which requests may name.
 * @module
 */
import { statSync } from "node:fs";
import { freemem } from "node:os";
import process from "node:process";
import { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { type NodeHub, nodeHub } from "../../hosts/node/hub.ts";
import type { ModelRecord } from "../../hub/cache.ts";
import { findModel } from "../../hub/hub.ts";
import { pull } from "../../hub/pull.ts";
import { parseReference, type Reference } from "../../hub/reference.ts";
import { createPlan } from "../../load/create-load.ts";
import type { LoadOptions } from "../../load/options.ts";
import { sourceName } from "../../load/source.ts";
import type { LazyModel, ModelFacts, ModelLibrary } from "../../server/models/source.ts";
import { loraOptions } from "../adapters.ts";
import { draftOptions } from "../drafts.ts";
import { UsageError } from "../flags.ts";
import { loading, modelFiles, runtimeOptions } from "../model.ts";
import { CACHED_CONTEXTS, loadWithContexts } from "../shared-cache.ts";
import type { ServeFlags } from "./flags.ts";

export interface ModelSettings {
  readonly flags: ServeFlags;
  /** The name or Jinja source of a template in place of the models' own. */
  readonly chatTemplate: string | undefined;
}

/**
 * A model of the command line.
 * @param alias the name in answers, then other names of the model
 */
export function lazyModel(source: string, alias: readonly string[], settings: ModelSettings): LazyModel {
  const reference = parseReference(source);
  const name = alias[0] ?? reference?.id ?? sourceName(source) ?? source;
  return {
    name,
    aliases: alias.slice(1),
    facts: fileFacts(source),
    fits: () => fitsMemory(source, settings),
    load: () => loadModel(source, name, settings),
  };
}

/** Loads a model with a key-value cache for several conversations. */
async function loadModel(source: string, name: string, { flags, chatTemplate }: ModelSettings): Promise<Model> {
  return loading(source, await loadOptions(flags), async (all) => {
    const { cacheTokens } = flags;
    const own = {
      name,
      ...(cacheTokens !== undefined && { cacheTokens }),
      ...(chatTemplate !== undefined && { chatTemplate }),
      ...(flags.spmInfill && { spmInfill: true }),
    };
    return loadWithContexts(source, { ...all, ...own }, CACHED_CONTEXTS).catch((error) => {
      throw templateError(error);
    });
  });
}

/** A wrong name of a template is wrong usage of the flag. */
function templateError(error: unknown): unknown {
  if (!(error instanceof NibbleError) || error.param !== "chatTemplate") return error;
  return new UsageError(error.message.replace("chatTemplate", "--chat-template"), "--chat-template");
}

async function loadOptions(flags: ServeFlags): Promise<LoadOptions> {
  const { lora } = loraOptions(flags);
  const adapters = flags.loraOff ? lora?.map((one) => ({ ...one, scale: 0 })) : lora;
  return { ...runtimeOptions(flags), ...(adapters && { lora: adapters }), ...(await draftOptions(flags)) };
}

/** Whether the memory that is free now suffices, by the plan from the model's header. */
async function fitsMemory(source: string, { flags }: ModelSettings): Promise<boolean> {
  const { memory, draft } = await createPlan(nodeHost)(source, await loadOptions(flags));
  return memory.total + (draft?.memory.total ?? 0) <= availableMemory();
}

function availableMemory(): number {
  // Node 20.13 and newer knows the limits of containers too.
  return (process as { availableMemory?: () => number }).availableMemory?.() ?? freemem();
}

function fileFacts(source: string): ModelFacts {
  const files = modelFiles(source).map((path) => statSync(path));
  if (files.length === 0) return {};
  const newest = new Date(Math.max(...files.map(({ mtimeMs }) => mtimeMs)));
  return { bytes: files.reduce((sum, { size }) => sum + size, 0), modified: newest.toISOString() };
}

/** The models of the cache, by the names that `nibble pull` takes. */
export function cacheLibrary({ flags, chatTemplate }: ModelSettings): ModelLibrary {
  // The draft model is for the models of the command line; others may have another vocabulary.
  const settings = { flags: { ...flags, modelDraft: undefined }, chatTemplate };
  const lazy = (record: ModelRecord): LazyModel => ({
    ...lazyModel(record.id, [record.id], settings),
    facts: recordFacts(record),
  });
  return {
    list: async () => (await (await nodeHub()).cache.records()).map(lazy),
    async find(name) {
      const reference = referenceOf(name);
      const record = reference && (await findModel(reference, (await nodeHub()).cache));
      return record && lazy(record);
    },
    async pull(name, { signal, onProgress }) {
      const { cache, settings: hub } = await onlineHub();
      const reference = referenceOf(name);
      if (!reference) {
        const message = `model: ${JSON.stringify(name.slice(0, 100))} is no name of \`nibble ls --all\`, no hf:owner/repo[:quant] and no URL`;
        throw new NibbleError("invalid_request", message, { param: "model" });
      }
      await pull(reference, cache, { ...hub, signal, onProgress });
    },
  };
}

/** Undefined for every other text, also where it begins like a reference. */
function referenceOf(name: string): Reference | undefined {
  try {
    return parseReference(name.replace(/:latest$/, ""));
  } catch {
    return undefined;
  }
}

async function onlineHub(): Promise<NodeHub> {
  const hub = await nodeHub();
  if (!hub.settings.offline) return hub;
  throw new NibbleError("not_supported", "/api/pull: this server is offline and fetches nothing");
}

function recordFacts({ files, pulled }: ModelRecord): ModelFacts {
  const [first] = files;
  return {
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(first && { sha256: first.sha256, format: /\.gguf$/i.test(first.name) ? "gguf" : "safetensors" }),
    modified: pulled,
  };
}
