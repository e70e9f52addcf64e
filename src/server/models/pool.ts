/**
 * The models of a server: found by name, loaded when a request asks for one, and disposed when they are idle or others
 * need their place.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { invalid } from "../../base/fields.ts";
import type { Model } from "../../engine/model.ts";
import { asNibbleError } from "../errors.ts";
import { Mutex } from "./mutex.ts";
import { Recovery, type RecoverySettings } from "./recovery.ts";
import { ServedModel } from "./served-model.ts";
import type { LazyModel, ModelLibrary, Source } from "./source.ts";

/** The right to use a model until `release`. */
export interface Lease {
  readonly model: Model;
  /** Milliseconds that loading took, 0 if the model was there. */
  readonly loadMs: number;
  /** Milliseconds that the model stays loaded after the last request; undefined: as the server's settings say. */
  keepAliveMs: number | undefined;
  /** Calls after the first do nothing. */
  release(): void;
}

export interface PoolSettings extends RecoverySettings {
  /** Most models that are loaded at once, Infinity: as many as memory holds. Models of the caller do not count. */
  readonly modelsMax: number;
  /** Milliseconds without a request after which a model is disposed; Infinity: never. */
  readonly idleMs: number;
  readonly library: ModelLibrary | undefined;
}

const MAX_NAME = 1024;

export class ModelPool {
  readonly #models: ServedModel[];
  /** Models that the server was started with. */
  readonly #named: number;
  readonly #settings: PoolSettings;
  /** Only one request at a time makes room, so that leases are given in the order in which they were asked for. */
  readonly #order = new Mutex();
  readonly #recovery: Recovery;

  constructor(sources: readonly Source[], settings: PoolSettings) {
    this.#models = sources.map((source) => new ServedModel(source));
    this.#named = sources.length;
    this.#settings = settings;
    this.#recovery = new Recovery(settings, async (served) => (await this.acquire(served)).release());
    for (const served of this.#models) if (served.model) this.#recovery.watch(served, served.model);
    for (const one of this.#models) one.startIdling(one.idleMs ?? settings.idleMs);
  }

  /** The models that the server was started with, then those that requests have added. */
  get models(): readonly ServedModel[] {
    return this.#models;
  }

  get library(): ModelLibrary | undefined {
    return this.#settings.library;
  }

  /** The models in memory. */
  get loaded(): readonly Model[] {
    return this.#models.flatMap(({ model }) => (model ? [model] : []));
  }

  /**
   * The model of a name, with or without `:latest` or its tag, from the library too.
   * @throws NibbleError `not_found`
   */
  async named(name: string): Promise<ServedModel> {
    const found = this.#find(name) ?? (await this.#fromLibrary(name));
    if (found) return found;
    const known = this.#models.map((one) => one.name).join(", ");
    throw new NibbleError(
      "not_found",
      `model: there is no model ${JSON.stringify(name.slice(0, 100))} here, only ${known}`,
      {
        param: "model",
      },
    );
  }

  /**
   * The model that a body's field `model` means, or the first one if it names none. A server that was started with a single
   * model answers for every unknown name, as llama-server does, because clients always send one.
   * @throws NibbleError `not_found`, `invalid_request` for a name that is not a string
   */
  async meant(body: unknown): Promise<ServedModel> {
    const name = typeof body === "object" && body !== null ? (body as { model?: unknown }).model : undefined;
    if (name === undefined || name === null) return this.#models[0]!;
    if (typeof name !== "string" || name.length > MAX_NAME) throw invalid("model", "a name", name);
    if (this.#named > 1) return this.named(name);
    return this.#find(name) ?? (await this.#fromLibrary(name)) ?? this.#models[0]!;
  }

  #find(name: string): ServedModel | undefined {
    const plain = name.replace(/:latest$/, "");
    const exact = this.#models.find((one) => one.answersTo(name) || one.answersTo(plain));
    if (exact) return exact;
    const tagged = this.#models.filter((one) => one.name.startsWith(`${plain}:`));
    return tagged.length === 1 ? tagged[0] : undefined;
  }

  async #fromLibrary(name: string): Promise<ServedModel | undefined> {
    const lazy = await this.#settings.library?.find(name);
    return lazy && this.#add(lazy);
  }

  #add(lazy: LazyModel): ServedModel {
    const known = this.#models.find(({ name }) => name === lazy.name);
    if (known) return known;
    const added = new ServedModel({ name: lazy.name, lazy });
    this.#models.push(added);
    return added;
  }

  /**
   * Loads the model unless it is there. A request that needs another model's place waits until that one is idle, and
   * later requests wait behind it: otherwise two models could keep each other out for ever.
   * @throws the signal's reason, or what the loading throws
   */
  async acquire(served: ServedModel, signal?: AbortSignal): Promise<Lease> {
    const start = performance.now();
    const wasLoaded = served.model !== undefined;
    const model = await this.#order.run(async () => {
      if (!served.model && !served.loading) await this.#makeRoom(signal);
      return { ready: served.use(() => this.#load(served)) };
    }, signal);
    try {
      const ready = await unlessAborted(model.ready, signal);
      return this.#lease(served, ready, wasLoaded ? 0 : performance.now() - start);
    } catch (error) {
      served.leave(Infinity);
      throw error;
    }
  }

  #lease(served: ServedModel, model: Model, loadMs: number): Lease {
    const { idleMs } = this.#settings;
    let held = true;
    return {
      model,
      loadMs,
      keepAliveMs: undefined,
      release() {
        if (held) served.leave(this.keepAliveMs ?? served.idleMs ?? idleMs);
        held = false;
      },
    };
  }

  /** Disposes idle models, the one used longest ago first, until another one may be loaded. */
  async #makeRoom(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const taken = this.#models.filter((one) => one.evictable);
      if (taken.length < this.#settings.modelsMax) return;
      if (this.#evictOne()) continue;
      signal?.throwIfAborted();
      await Promise.race([...taken.map((one) => one.idle()), aborted(signal)]);
    }
  }

  #evictOne(): boolean {
    const idle = this.#models.filter((one) => one.evictable && one.users === 0 && one.model);
    const [oldest] = idle.sort((a, b) => a.lastUsed - b.lastUsed);
    oldest?.unload();
    return oldest !== undefined;
  }

  /**
   * Loads a model. If memory does not suffice, idle models are disposed first. Without idle models, loading is tried
   * anyway.
   */
  async #load(served: ServedModel): Promise<Model> {
    while (!(await served.fits()) && this.#evictOne());
    for (;;) {
      try {
        const model = await served.load();
        this.#recovery.watch(served, model);
        return model;
      } catch (error) {
        if (asNibbleError(error)?.code !== "out_of_memory" || !this.#evictOne()) throw error;
      }
    }
  }

  /** Disposes the models that the pool has loaded. */
  dispose(): void {
    for (const one of this.#models) if (one.evictable) one.unload();
  }
}

/** The loading goes on for others. @throws the signal's reason when that is aborted first */
async function unlessAborted<T>(ready: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  ready.catch(() => {}); // nobody may be waiting any more
  await Promise.race([ready, aborted(signal)]);
  signal?.throwIfAborted();
  return ready;
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}
