/**
 * One model of a server: in memory or not, in use or idle.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import type { ModelFacts, Source } from "./source.ts";

export class ServedModel {
  readonly name: string;
  readonly facts: ModelFacts;
  /** The model while it is in memory. */
  model: Model | undefined;
  /** The model's facts from its first load on. They are kept while it is not in memory. */
  info: Model["info"] | undefined;
  /** Resolves when loading has ended. */
  loading: Promise<Model> | undefined;
  /** Requests that use it or wait for it. */
  users = 0;
  /** Milliseconds since 1970. */
  lastUsed = 0;
  /** When it will be disposed if no request comes, milliseconds since 1970; Infinity: not by itself. */
  expires: number = Infinity;
  /** The adapters' scales of requests that name none, where POST /lora-adapters has set them. */
  lora: readonly { readonly id: number; readonly scale: number }[] | undefined;
  /** Why it can answer no requests, and whether it is loaded again. */
  failure: { readonly error: unknown; readonly isReloading: boolean } | undefined;
  /** When it was loaded again because it could compute no more, milliseconds since 1970. */
  reloads: number[] = [];
  readonly #source: Source;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: (() => void)[] = [];

  constructor(source: Source) {
    this.name = source.name;
    this.#source = source;
    this.model = "model" in source ? source.model : source.lazy.loaded;
    this.info = this.model?.info;
    this.facts = "lazy" in source ? (source.lazy.facts ?? {}) : {};
  }

  /** Whether the server loads it. A model that the handler's caller has loaded stays as it is. */
  get isLazy(): boolean {
    return "lazy" in this.#source;
  }

  /** Whether it takes a place that another model could have. */
  get evictable(): boolean {
    return this.isLazy && (this.model ?? this.loading) !== undefined;
  }

  /** Milliseconds without a request after which it is disposed; undefined: as the handler says. */
  get idleMs(): number | undefined {
    return "lazy" in this.#source ? this.#source.lazy.idleMs : undefined;
  }

  answersTo(name: string): boolean {
    return this.name === name || ("lazy" in this.#source && (this.#source.lazy.aliases ?? []).includes(name));
  }

  /** Whether the memory that is free suffices, as far as that is known before loading. */
  async fits(): Promise<boolean> {
    return "model" in this.#source || ((await this.#source.lazy.fits?.()) ?? true);
  }

  load(): Promise<Model> {
    return "model" in this.#source ? Promise.resolve(this.#source.model) : this.#source.lazy.load();
  }

  /**
   * Counts a user at once. Resolves when the model is loaded; `load` runs unless the model is loaded or being loaded.
   */
  use(load: () => Promise<Model>): Promise<Model> {
    clearTimeout(this.#timer);
    this.expires = Infinity;
    this.users++;
    if (this.model) return Promise.resolve(this.model);
    this.loading ??= load().then(
      (model) => {
        this.loading = undefined;
        this.model = model;
        this.info = model.info;
        this.failure = undefined;
        return model;
      },
      (error) => {
        this.loading = undefined;
        throw error;
      },
    );
    return this.loading;
  }

  /** Ends a use. The last one starts the time after which an idle model is disposed. */
  leave(keepAliveMs: number): void {
    this.users--;
    this.lastUsed = Date.now();
    if (this.users > 0) return;
    this.startIdling(keepAliveMs);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Starts the time after which the model is disposed, unless a request comes. */
  startIdling(ms: number): void {
    if (this.evictable && ms !== Infinity) this.#expire(ms);
  }

  #expire(ms: number): void {
    if (ms <= 0) {
      this.unload();
      return;
    }
    this.expires = Date.now() + ms;
    this.#timer = setTimeout(() => this.unload(), Math.min(ms, MAX_TIMEOUT));
    (this.#timer as { unref?: () => void }).unref?.(); // does not keep a process alive
  }

  /** Resolves when no request uses it. */
  idle(): Promise<void> {
    if (this.users === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Frees the memory. Requests that still use the model fail with code `disposed`. */
  unload(): void {
    if (!("lazy" in this.#source)) return;
    clearTimeout(this.#timer);
    this.expires = Infinity;
    this.model?.dispose();
    this.model = undefined;
  }
}

/** The longest time that setTimeout takes. */
const MAX_TIMEOUT = 2 ** 31 - 1;
