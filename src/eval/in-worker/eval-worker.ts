/**
 * The entry of a worker that runs a page's model and evaluates it (`dist/eval-worker.js`). The code of evaluations is fetched
 * when the page first calls for it.
 * @module
 */
import { serveModel } from "../../hosts/web-worker/serve-model.ts";

serveModel({
  async evaluate([request], signal, model) {
    const { evaluateModel } = await import("./run.ts");
    return evaluateModel(model, request, signal);
  },
  async stopEvaluation() {
    const { stopEvaluation } = await import("./run.ts");
    return stopEvaluation();
  },
});
