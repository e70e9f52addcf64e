/**
 * The core of a loaded model, which its calls share: its runtime, its scheduler, and the facts that requests are
 * checked against.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { NamedTemplates } from "../chat/named-templates.ts";
import { fingerprint, NUMERICS_VERSION } from "../runtime/fingerprint.ts";
import type { Executor } from "../runtime/types.ts";
import type { Tokenizer } from "../tokenizer/types.ts";
import { Grammars } from "./constrain/grammars.ts";
import { DEFAULT_FACTS, type EmbeddingFacts } from "./generate/embedding-facts.ts";
import type { Engine } from "./generate/engine.ts";
import type { LoadFacts } from "./model-info.ts";
import type { RequestContext } from "./request/context.ts";
import type { EmbedContext } from "./request/embed-options.ts";
import type { LoraInfo } from "./request/lora.ts";
import { Candidates } from "./sample/candidates.ts";
import { SAMPLING_DEFAULTS, type SamplingDefaults } from "./sample/defaults.ts";
import { DraftModel } from "./schedule/draft-model.ts";
import { PrefixCache } from "./schedule/prefix-cache.ts";
import { CHUNK_TOKENS, Scheduler, type SchedulerOptions } from "./schedule/scheduler.ts";
import type { SessionParts } from "./session/session.ts";

export interface ModelParts {
  readonly name: string;
  readonly architecture: string;
  readonly tokenizer: Tokenizer;
  readonly executor: Executor;
  /** Jinja sources by name, from the model's files. */
  readonly templates?: NamedTemplates | undefined;
  readonly defaults?: SamplingDefaults | undefined;
  readonly adapters?: readonly Omit<LoraInfo, "id">[] | undefined;
  /** What the model's files say about embeddings. */
  readonly embedding?: EmbeddingFacts | undefined;
  /** The text around a query and a document, for rerankers that have one. */
  readonly rankTemplate?: string | undefined;
  /** Facts for `info`, of a model that has files. */
  readonly facts?: LoadFacts | undefined;
  readonly scheduler?: SchedulerOptions | undefined;
  readonly draft?: DraftParts | undefined;
  /** Whether requests and sessions reuse keys and values that others have computed (default true). */
  readonly prefixCache?: boolean | undefined;
  /** Whether prompts that fill a gap have the suffix first, whatever the model's files say (default false). */
  readonly spmInfill?: boolean | undefined;
}

/** A draft model of the same vocabulary. */
export interface DraftParts {
  readonly core: Core;
  /** The time of a row of the draft model, in units of a row of the model itself. */
  readonly cost: number;
  /** Whether it serves this model alone, and is disposed with it. */
  readonly owned: boolean;
}

export class Core {
  readonly name: string;
  readonly tokenizer: Tokenizer;
  readonly executor: Executor;
  readonly prefixes: PrefixCache;
  readonly engine: Engine;
  readonly context: RequestContext;
  readonly embedding: EmbedContext;
  readonly sessions: SessionParts;
  readonly spmInfill: boolean;
  /** Pages of the whole key-value cache. */
  private readonly pages: number;
  private readonly draft: DraftParts | undefined;
  /** What its salted copies have in common with it. */
  private readonly life: { disposed: boolean; fingerprint?: string } = { disposed: false };

  constructor(parts: ModelParts) {
    const { tokenizer, executor, name } = parts;
    this.name = name;
    this.tokenizer = tokenizer;
    this.executor = executor;
    this.spmInfill = parts.spmInfill ?? false;
    // Where tokens attend to those after them, a prefix has other keys and values in each text.
    this.prefixes = new PrefixCache(executor, !executor.bidirectional && parts.prefixCache);
    this.draft = parts.draft;
    const draftModel = parts.draft && draftModelOf(parts.draft, executor.vocabSize);
    const scheduler = new Scheduler(executor, this.prefixes, { ...parts.scheduler, draftModel });
    const adapters = (parts.adapters ?? []).map((adapter, id): LoraInfo => ({ id, ...adapter }));
    const hasDraftModel = draftModel !== undefined;
    this.engine = { tokenizer, executor, scheduler, candidates: new Candidates(executor.vocabSize), hasDraftModel };
    const { embedding: facts = DEFAULT_FACTS, rankTemplate } = parts;
    this.embedding = { executor, tokenizer, scheduler, facts, adapters, rankTemplate };
    this.sessions = { executor, prefixes: this.prefixes, open: new Set() };
    this.context = {
      vocabSize: executor.vocabSize,
      contextLength: executor.contextLength,
      endIds: tokenizer.endIds,
      defaults: parts.defaults ?? SAMPLING_DEFAULTS,
      grammars: new Grammars(tokenizer),
      encode: (text) => tokenizer.encode(text, { special: true, addBos: false }),
      adapters,
    };
    this.pages = executor.freePages;
    void executor.lost.then((error) => this.engine.scheduler.failAll(error));
  }

  /** The same core for requests and sessions that share prefixes only with those of the same salt. */
  salted(cacheSalt: string): Core {
    const { engine, embedding, sessions } = this;
    return Object.assign(Object.create(Core.prototype) as Core, this, {
      engine: { ...engine, cacheSalt },
      embedding: { ...embedding, cacheSalt },
      sessions: { ...sessions, cacheSalt },
    });
  }

  /** @throws NibbleError `disposed` */
  checkLive(): void {
    if (this.life.disposed) throw new NibbleError("disposed", `the model ${this.name} is disposed`);
  }

  /** @throws NibbleError `disposed`, or `not_supported` for a model that only embeds or ranks texts */
  checkGenerates(): void {
    this.checkLive();
    if (this.executor.generates) return;
    const does = this.embedding.facts.rank ? "ranks documents" : "makes embeddings";
    throw new NibbleError("not_supported", `the model ${this.name} generates no text: it ${does}`);
  }

  /**
   * Tells apart what can change an answer to the same request with the same seed: weights, adapters and their scales, the
   * type of the key-value cache, and the version of the numerics.
   */
  get fingerprint(): string {
    this.checkLive();
    const scales = Float64Array.from(this.context.adapters, ({ scale }) => scale);
    const parts = [this.executor.fingerprint(), new Uint32Array(scales.buffer), Uint32Array.of(NUMERICS_VERSION)];
    this.life.fingerprint ??= Array.from(fingerprint(parts), (word) => word.toString(16).padStart(8, "0")).join("");
    return this.life.fingerprint;
  }

  stats(): { readonly requests: number; readonly usedPages: number; readonly cachedPages: number } {
    this.checkLive();
    const { usedPages } = this.prefixes;
    const cachedPages = this.pages - this.executor.freePages - usedPages;
    return { requests: this.engine.scheduler.size, usedPages, cachedPages };
  }

  /** Drops what is kept of ended requests and sessions. */
  clearPrefixCache(): void {
    this.checkLive();
    this.prefixes.clear();
    if (this.draft?.owned) this.draft.core.clearPrefixCache();
  }

  dispose(): void {
    if (this.life.disposed) return;
    this.life.disposed = true;
    for (const session of [...this.sessions.open]) session.dispose();
    this.engine.scheduler.failAll(new NibbleError("disposed", `the model ${this.name} was disposed`));
    this.executor.dispose();
    if (this.draft?.owned) this.draft.core.dispose();
  }
}

function draftModelOf({ core, cost }: DraftParts, vocabSize: number): DraftModel {
  return new DraftModel(core.executor, core.prefixes, { cost, vocabSize, chunkTokens: CHUNK_TOKENS });
}
