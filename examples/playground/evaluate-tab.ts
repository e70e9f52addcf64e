/**
 * The tab that evaluates the loaded model: a task, its rows, and the report. It is fetched when the tab is first shown.
 * @module
 */
import type { WorkerModel } from "nibble-llm/browser";
import {
  type EvalResult,
  evaluateInWorker,
  listTasks,
  stopEvaluation,
  type TaskInfo,
} from "../../src/eval/in-worker/evaluate-in-worker.ts";
import { byId } from "./dom.ts";
import { ResultView } from "./eval-result.ts";

export interface EvaluateEvents {
  /** The loaded model, and how the command line names it. */
  model(): { readonly model: WorkerModel; readonly flags: string } | undefined;
  /** An evaluation begins. */
  begin(): void;
  fail(error: unknown): void;
}

export class EvaluateTab {
  readonly #tasks = new Map(listTasks().map((task) => [task.name, task]));
  readonly #events: EvaluateEvents;
  readonly #form = byId<HTMLFormElement>("eval-form");
  readonly #run = byId<HTMLButtonElement>("eval-run");
  readonly #stop = byId<HTMLButtonElement>("eval-stop");
  readonly #progress = byId<HTMLProgressElement>("eval-progress");
  readonly #status = byId("eval-status");
  readonly #result = new ResultView(byId("eval-result"));
  #files: readonly File[] = [];
  #running: WorkerModel | undefined;
  #began = 0;

  constructor(events: EvaluateEvents) {
    this.#events = events;
    const input = byId<HTMLInputElement>("eval-files");
    this.#select.append(...[...this.#tasks.keys()].map((name) => new Option(name)));
    this.#select.addEventListener("change", () => this.#showData());
    byId("eval-choose").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.take([...(input.files ?? [])]);
      input.value = ""; // the same file may be chosen again
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start();
    });
    this.#stop.addEventListener("click", () => this.stop());
    this.#showData();
  }

  /** Takes files as the data. A file that is called like a task chooses it. */
  take(files: readonly File[]): void {
    this.#files = files;
    const named = files.map(({ name }) => this.#tasks.get(name.split(".")[0]!)).find((task) => task);
    if (named) this.#select.value = named.name;
    // With a file, the task whose rows are included would hardly be meant.
    else if (this.#task.included && files.length > 0) this.#select.value = [...this.#tasks.keys()][1]!;
    this.#showData();
  }

  /** Ends the evaluation that runs; its report is then of the rows that are done. */
  stop(): void {
    if (this.#running) stopEvaluation(this.#running).catch(() => {}); // a model that was replaced has ended it
  }

  get #select(): HTMLSelectElement {
    return this.#form.elements.namedItem("task") as HTMLSelectElement;
  }

  get #task(): TaskInfo {
    return this.#tasks.get(this.#select.value)!;
  }

  #showData(): void {
    const { name, dataSet, included, shots } = this.#task;
    const files = this.#files.map((file) => file.name).join(", ");
    const examples = shots > 0 ? ` Its prompts have ${shots} examples if you add ${name}.train.jsonl.` : "";
    const wanted = included ? "The rows are in this package." : `It needs ${name}.jsonl: ${dataSet}.${examples}`;
    byId("eval-data").textContent = files === "" ? wanted : `Data: ${files}.${included ? "" : examples}`;
    this.#run.disabled = files === "" && !included;
  }

  async #start(): Promise<void> {
    const loaded = this.#events.model();
    if (this.#running) return;
    if (!loaded) {
      this.#status.textContent = "No model is loaded yet.";
      return;
    }
    const limit = Number(new FormData(this.#form).get("limit"));
    const request = { task: this.#task.name, files: this.#files, limit };
    this.#events.begin();
    this.#setRunning(loaded.model);
    let result: EvalResult | undefined;
    try {
      for await (const event of evaluateInWorker(loaded.model, request)) {
        if (event.type === "result") result = event;
        else this.#showProgress(event);
      }
      if (result) this.#result.show(result, commandOf(request, result, loaded.flags));
      this.#status.textContent = result ? `${result.rows} rows.` : "Stopped before a row was done.";
    } catch (error) {
      this.#status.textContent = "It was not run to the end.";
      this.#events.fail(error);
    }
    this.#setRunning(undefined);
  }

  #setRunning(model: WorkerModel | undefined): void {
    if (!model && document.activeElement === this.#stop) this.#run.focus();
    this.#running = model;
    this.#run.hidden = model !== undefined;
    this.#stop.hidden = this.#progress.hidden = model === undefined;
    if (!model) {
      this.#status.removeAttribute("aria-busy");
      return;
    }
    this.#stop.focus();
    this.#status.setAttribute("aria-busy", "true"); // screen readers read how it ends
    this.#status.textContent = "Reading the data";
    this.#progress.removeAttribute("value");
    this.#began = performance.now();
  }

  #showProgress({
    done,
    total,
    right,
  }: {
    readonly done: number;
    readonly total: number;
    readonly right: number;
  }): void {
    Object.assign(this.#progress, { max: total, value: done });
    const seconds = ((performance.now() - this.#began) / 1000 / done) * (total - done);
    const rest = done === 0 ? "" : `, ${((100 * right) / done).toFixed(1)} % right, ${duration(seconds)} left`;
    this.#status.textContent = `${done} of ${total} rows${rest}`;
  }
}

/** @param flags those that name the model */
function commandOf(
  { task, files, limit }: { readonly task: string; readonly files: readonly File[]; readonly limit: number },
  { shots }: EvalResult,
  flags: string,
): string {
  const data = files.length === 0 ? "" : ` --data ${files.length === 1 ? files[0]!.name : "FOLDER"}`;
  return `nibble eval ${task} --limit ${limit} --num-fewshot ${shots}${data}${flags}`;
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
