/**
 * From a file to a model that answers: planned first, so that one that cannot run leaves the one that does in peace.
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
  /** A name or an URL, or a file. */
  readonly source: string | Blob;
  readonly name: string;
  /** Of the file. */
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
   * Takes the place of the model before, and of a load under way.
   * @throws NibbleError as `load`; the signal's reason ("AbortError") where another load came between
   */
  async load({ source, name, contextLength }: Opened, { onPlan, onProgress }: LoadEvents): Promise<WorkerModel> {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    const options: LoadOptions = { name, ...(contextLength !== undefined && { contextLength }) };
    const planned = await planBeside(source, options, signal);
    // Two models at once may be more than a phone has.
    this.#model?.dispose();
    this.#model = undefined;
    onPlan(planned);
    const model = await loadInWorker(source, { ...options, onProgress, signal });
    if (signal.aborted) model.dispose();
    signal.throwIfAborted();
    this.#model = model;
    return model;
  }
}
