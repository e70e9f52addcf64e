/**
 * The page's side of evaluations of a model in `eval-worker.ts`.
 * @module
 */
import { callsOf, type WorkerModel } from "../../hosts/web-worker/load-in-worker.ts";
import type { EvalEvent, EvalRequest } from "./messages.ts";

export { listTasks, type TaskInfo } from "./list-tasks.ts";
export type { EvalResult } from "./messages.ts";

/**
 * Evaluates a model whose worker is `eval-worker.js`. The last event is the result.
 * @throws NibbleError `bad_json` or `bad_value` for data that does not fit the task; `invalid_request` where the task needs
 *   a chat template and the model has none; `context_full`; `disposed`
 */
export function evaluateInWorker(model: WorkerModel, request: EvalRequest): AsyncIterable<EvalEvent> {
  return callsOf(model).many("evaluate", [request]) as AsyncIterable<never>;
}

/** Ends the evaluation that runs. Its result is of the rows that were done. */
export async function stopEvaluation(model: WorkerModel): Promise<void> {
  await callsOf(model).one("stopEvaluation", []);
}
