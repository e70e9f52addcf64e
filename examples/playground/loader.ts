/**
 * Loads a model. It is planned first, so that a file that cannot run does not unload the model that can.
 * @module
 */
import {
  type LoadOptions,
  type LoadProgress,
  loadInWorker,
  type ModelPlan,
  type WorkerModel,
} from "nibble-llm/browser";
import { planBeside } from "./beside.ts";

export interface Opened {
  /** A name, a URL or a file. */
  readonly source: string | Blob;
  readonly name: string;
  /** The size of the file. */
  readonly bytes: number;
  readonly contextLength?: number;
}

export interface LoadEvents {
  onPlan(plan: ModelPlan): void;
  onProgress(progress: LoadProgress): void;
}

export class Loader {
  #model: WorkerModel | undefined;
  #loading = new AbortController();

  get model(): WorkerModel | undefined {
    return this.#model;
  }

  /**
   * Loads a model in place of the one before, and cancels a load under way.
   * @throws NibbleError as `load`; the signal's reason ("AbortError") if another load has begun
   */
  async load({ source, name, contextLength }: Opened, { onPlan, onProgress }: LoadEvents): Promise<WorkerModel> {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    const options: LoadOptions = { name, ...(contextLength !== undefined && { contextLength }) };
    const planned = await planBeside(source, options, signal);
    // A phone may not have the memory for two models at once.
    this.#model?.dispose();
    this.#model = undefined;
    onPlan(planned);
    // This worker can also evaluate its model.
    const worker = new Worker(new URL("../eval-worker.js", import.meta.url), { type: "module" });
    const model = await loadInWorker(source, { ...options, onProgress, signal, worker });
    if (signal.aborted) model.dispose();
    signal.throwIfAborted();
    this.#model = model;
    return model;
  }
}
