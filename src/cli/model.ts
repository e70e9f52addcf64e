/**
 * The model of a command: its flags, and how it is opened.
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { NibbleError } from "../base/errors.ts";
import type { Checkpoint } from "../formats/checkpoint.ts";
import { splitNames } from "../formats/gguf/shards.ts";
import { nodeHost } from "../hosts/node/host.ts";
import { nodeHub } from "../hosts/node/hub.ts";
import { canRevectorize } from "../hosts/node/revectorize.ts";
import type { ModelCache, ModelRecord } from "../hub/cache.ts";
import { isDataSet, pullDataSet } from "../hub/data-set.ts";
import { findModel, type HubSettings } from "../hub/hub.ts";
import { type PullOptions, pull } from "../hub/pull.ts";
import { type HubReference, parseReference, type Reference } from "../hub/reference.ts";
import { openCheckpoint } from "../load/checkpoint.ts";
import type { LoadOptions } from "../load/options.ts";
import { bestBuild } from "../runtime/kernels.ts";
import type { KvType } from "../runtime/layout.ts";
import { conflict, type Flag, number, oneOf, text, toggle, UsageError, type Values } from "./flags.ts";
import { note } from "./output.ts";
import { Progress } from "./progress.ts";

export const DEFAULT_MODEL = "crumb";

export const modelFlag: Flag<string> = text(
  "-m, --model",
  "MODEL",
  "crumb (default), a name of `nibble ls --all`, hf:owner/repo[:quant], an https URL, a GGUF file or a model folder",
);
export const jsonFlag: Flag<boolean> = toggle("--json", "print JSON, errors too");
/** Every command that opens a MODEL has this flag; `defineCommand` passes it on to the host. */
export const offlineFlag: Flag<boolean> = toggle("--offline", "fetch nothing (as NIBBLE_OFFLINE=1 does)");

export interface RuntimeFlags {
  readonly [name: string]: Flag<unknown>;
  readonly context: Flag<number>;
  readonly kv: Flag<KvType>;
  readonly batch: Flag<number>;
  readonly threads: Flag<number>;
  readonly noRevectorize: Flag<boolean>;
  readonly offline: Flag<boolean>;
}

export const runtimeFlags: RuntimeFlags = {
  context: number(
    "-c, --ctx-size",
    "N",
    { min: 1, integer: true },
    "most tokens of a conversation (default: the model's own limit, at most 4096)",
  ),
  kv: oneOf<KvType>(
    "--kv",
    "TYPE",
    ["int8", "mixed", "f32"],
    "type of the key-value cache: int8, mixed (default) or f32",
  ),
  batch: number("-b, --batch-size", "N", { min: 1, max: 4096, integer: true }, "most tokens of one step (default 128)"),
  threads: number(
    "-t, --threads",
    "N",
    { min: 1, max: 256, integer: true },
    "threads (default: the number of cores; 1 for a small model)",
  ),
  noRevectorize: toggle(
    "--no-revectorize",
    "128-bit kernels, also where V8 can join them to 256 bits (as NIBBLE_REVECTORIZE=0 does)",
  ),
  offline: offlineFlag,
};

/** The runtime's options by these flags; notes on stderr where an engine cannot run threads. */
export function runtimeOptions(flags: Partial<Values<RuntimeFlags>>): LoadOptions {
  const { context, kv, batch, threads } = flags;
  const able = threads === undefined || threads === 1 || bestBuild(threads) === "threads";
  if (!able) note(`nibble: -t ${threads}: this engine has no relaxed SIMD (Node 22 has it), so one thread runs`);
  return {
    ...(threads !== undefined && { threads: able ? threads : 1 }),
    ...(context !== undefined && { contextLength: context }),
    ...(kv !== undefined && { kvType: kv }),
    ...(batch !== undefined && { maxBatchTokens: batch }),
    revectorize: canRevectorize() && !flags.noRevectorize && process.env.NIBBLE_REVECTORIZE !== "0",
  };
}

/**
 * The one model that a command was given.
 * @param argument MODEL @param flag the value of `-m`
 * @throws UsageError if both were given
 */
export function givenModel(argument: string | undefined, flag: string | undefined): string | undefined {
  if (argument !== undefined && flag !== undefined) throw conflict("MODEL", "-m", "both name the model");
  return argument ?? flag;
}

/**
 * Whether an argument is a model rather than a prompt: a known name, a path that exists, or text that can only be a path.
 * So a wrong path is an error, and not a question to crumb.
 */
export function isModel(argument: string): boolean {
  if (argument === DEFAULT_MODEL || argument.endsWith(".gguf") || parseReference(argument)) return true;
  return /^\.{0,2}[/\\]\S*$/.test(argument) || mayBePath(argument);
}

/** Failures of a path that is there. (A prompt can be too long for a path, or hold what no path may hold.) */
const UNREADABLE: ReadonlySet<string | undefined> = new Set(["EACCES", "EIO", "ELOOP", "EMFILE", "ENFILE", "EPERM"]);

/** Whether there is something at a path, or the system cannot say just now: then opening it as a model tells why. */
function mayBePath(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return UNREADABLE.has((error as NodeJS.ErrnoException).code);
  }
}

/** The files of a path: the file itself, all shards of a split one, or those of a folder. A name has none. */
export function modelFiles(model: string): string[] {
  const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (statSync(model, { throwIfNoEntry: false })?.isDirectory())
    return readdirSync(model)
      .map((name) => join(model, name))
      .filter(isFile)
      .sort();
  const shards = splitNames(basename(model))?.map((name) => join(dirname(model), name));
  return (shards ?? [model]).filter(isFile);
}

/** The files of a model that was pulled. */
export async function pulledFiles(model: string): Promise<string[]> {
  const reference = parseReference(model);
  if (!reference) return [];
  const { cache } = await nodeHub();
  const record = await findModel(reference, cache);
  return record?.files.map(({ sha256 }) => cache.locate(sha256)!) ?? [];
}

/** Pulls a model that is not in the cache, and says so on stderr. */
export async function ensurePulled(model: string): Promise<void> {
  const reference = parseReference(model);
  if (!reference) return;
  const { cache, settings } = await nodeHub();
  // Where nothing may be fetched, opening the model reports what is missing.
  if (settings.offline || (await findModel(reference, cache))) return;
  note(`nibble: ${reference.id} is not in the cache yet; pulling it`);
  await pullWithProgress(reference, cache, settings);
}

/** Pulls with a progress bar on stderr. */
export async function pullWithProgress(
  reference: Reference,
  cache: ModelCache,
  settings: HubSettings,
): Promise<ModelRecord> {
  const progress = new Progress(reference.id, "bytes");
  const options: PullOptions = {
    ...settings,
    onProgress: ({ loaded, total }) => progress.update(loaded, total),
    onRetry: (reason, ms) => note(`nibble: ${reason}; the next attempt is in ${(ms / 1000).toFixed(1)} s`),
  };
  try {
    const isSet = reference.kind === "hub" && isDataSet(reference.id);
    return await (isSet ? pullDataSet : pull)(reference as HubReference, cache, options);
  } finally {
    progress.end();
  }
}

/** Runs `action` on an open checkpoint, and closes it. */
export async function withCheckpoint<T>(model: string, action: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  await ensurePulled(model);
  const checkpoint = await openCheckpoint(model, nodeHost);
  try {
    return await action(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** Runs an `action` that loads, with progress on stderr. An error about `contextLength` becomes one about the flag `-c`. */
export async function loading<T>(
  model: string,
  options: LoadOptions,
  action: (options: LoadOptions) => Promise<T>,
): Promise<T> {
  await ensurePulled(model);
  const progress = new Progress(`loading ${model}`);
  try {
    return await action({ ...options, onProgress: ({ loaded, total }) => progress.update(loaded, total) });
  } catch (error) {
    if (!(error instanceof NibbleError) || error.param !== "contextLength") throw error;
    throw new UsageError(error.message.replace("contextLength", "-c"), "-c");
  } finally {
    progress.end();
  }
}
