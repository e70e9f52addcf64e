/**
 * Who computes the evaluation of a command line: a model here, or servers.
 * @module
 */
import type { Backend } from "../../eval/backend.ts";
import { LocalBackend } from "../../eval/local-backend.ts";
import { ServerBackend } from "../../eval/server-backend.ts";
import type { Values } from "../flags.ts";
import { DEFAULT_MODEL, loading, type RuntimeFlags, runtimeOptions } from "../model.ts";
import { type GivenServers, openPool } from "../remote/servers.ts";
import { CACHED_CONTEXTS, loadWithContexts } from "../shared-cache.ts";

export interface Computing {
  readonly backend: Backend;
  /** Tokens that end an answer, which `--ignore-eos` forbids. */
  readonly endIds: readonly number[];
  /** Rows that are computed at the same time; undefined: as many as are usual for a model here. */
  readonly parallel: number | undefined;
  close(): void;
}

/** Rows that servers get at the same time, so that each of several has enough to do. */
const ROWS_PER_SERVER = 16;

/** @throws NibbleError where the model cannot be loaded, or no server answers */
export async function openComputing(
  urls: readonly string[],
  given: GivenServers & Partial<Values<RuntimeFlags>>,
): Promise<Computing> {
  if (urls.length === 0) {
    const source = given.model ?? DEFAULT_MODEL;
    const { parallel } = given;
    // Rows that are fewer than the contexts need no more memory than one context each.
    const contexts = Math.min(parallel ?? CACHED_CONTEXTS, CACHED_CONTEXTS);
    const model = await loading(source, runtimeOptions(given), (options) =>
      loadWithContexts(source, options, contexts),
    );
    const { endIds } = model.info;
    return { backend: new LocalBackend(model), endIds, parallel, close: () => model.dispose() };
  }
  const pool = await openPool(urls, { ...given, parallel: undefined });
  try {
    const backend = await ServerBackend.open(pool);
    const parallel = given.parallel ?? ROWS_PER_SERVER * urls.length;
    return { backend, endIds: backend.endIds, parallel, close: () => pool.close() };
  } catch (error) {
    pool.close();
    throw error;
  }
}
