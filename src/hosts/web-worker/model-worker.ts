/**
 * The entry of the worker that runs a page's model (`dist/model-worker.js`). A worker runs one model.
 * @module
 */
import { serveModel } from "./serve-model.ts";

serveModel();
