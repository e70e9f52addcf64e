/**
 * Ollama's /api/pull: fetches a model and tells how far it is.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Ticket } from "../admission.ts";
import { asNibbleError, errorBody } from "../errors.ts";
import type { ModelLibrary, PullStep } from "../models/source.ts";
import type { Exchange } from "../route.ts";
import { jsonLine, streamResponse } from "../streams.ts";
import { readName } from "./models.ts";

const UNUSED = ["stream", "insecure", "username", "password"];

/** @throws NibbleError `not_supported` where the server fetches nothing; `invalid_request` */
export async function pullModel(exchange: Exchange): Promise<Response> {
  const { request, server } = exchange;
  const body = await server.readBody(request);
  const name = readName(body, exchange, UNUSED);
  const { library } = server.models;
  if (!library)
    throw new NibbleError("not_supported", "/api/pull: this server fetches no models; start it with all of them");
  const job = startPull(library, name, request.signal);
  if ((body as { stream?: unknown }).stream === false) {
    await job.done;
    return Response.json({ status: "success" });
  }
  job.done.catch(() => {}); // the lines below tell of it
  return streamResponse(job, pullLines(job), {
    format: "lines",
    stallMs: server.settings.stallTimeoutMs,
    failure: (error) => {
      server.failures.note(error);
      return jsonLine(errorBody(error, "ollama"));
    },
  });
}

/** A pull under way. It takes no slot, for it computes nothing. */
interface Job extends Ticket {
  readonly done: Promise<void>;
  /** Resolves to the newest state that the reader has not seen, or undefined at the end. */
  next(): Promise<PullStep | undefined>;
}

function startPull(library: ModelLibrary, name: string, client: AbortSignal): Job {
  const controller = new AbortController();
  const leave = (): void => controller.abort(client.reason);
  client.addEventListener("abort", leave);
  let newest: PullStep | undefined;
  let ended = false;
  let wake = (): void => {};
  const done = library
    .pull(name, {
      signal: controller.signal,
      onProgress(step) {
        newest = step;
        wake();
      },
    })
    .catch((error) => {
      throw pullError(error);
    })
    .finally(() => {
      ended = true;
      wake();
    });
  return {
    signal: controller.signal,
    slot: Promise.resolve(),
    done,
    abort: (reason) => controller.abort(reason),
    end: () => client.removeEventListener("abort", leave),
    async next() {
      while (!newest && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const step = newest;
      newest = undefined;
      return step;
    },
  };
}

/** The hub's refusals have codes that mean something else in answers of this server. */
function pullError(error: unknown): unknown {
  const known = asNibbleError(error);
  if (!known || known.code.startsWith("invalid_")) return error;
  const code = known.code === "missing_file" ? "not_found" : "bad_gateway";
  return new NibbleError(code, known.message, { cause: error });
}

async function* pullLines(job: Job): AsyncGenerator<string, undefined> {
  yield jsonLine({ status: "pulling manifest" });
  for (let step = await job.next(); step; step = await job.next()) {
    const { file, sha256, loaded, total } = step;
    const digest = sha256 && { digest: `sha256:${sha256}` };
    yield jsonLine({ status: `pulling ${sha256?.slice(0, 12) ?? file}`, ...digest, total, completed: loaded });
  }
  await job.done;
  for (const status of ["verifying sha256 digest", "writing manifest", "success"]) yield jsonLine({ status });
}
