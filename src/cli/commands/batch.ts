/**
 * `nibble batch`: answers a file of requests, by a model here or by servers.
 * @module
 */
import type { Stats } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import { MAX_LINE_BYTES } from "../../batch/lines.ts";
import { ServerPool } from "../../batch/pool.ts";
import { BATCH_URLS } from "../../batch/request.ts";
import { runBatch } from "../../batch/run.ts";
import { batchServer } from "../../batch/server.ts";
import { ifThere } from "../../hosts/node/io.ts";
import { lock } from "../../hosts/node/lock.ts";
import { createHandler } from "../../server/handler.ts";
import { type Command, defineCommand } from "../command.ts";
import { missing, number, text } from "../flags.ts";
import { DEFAULT_MODEL, jsonFlag, modelFlag, runtimeFlags } from "../model.ts";
import { note, printJson, printLines } from "../output.ts";
import { forceFlag } from "../output-file.ts";
import { Progress } from "../progress.ts";
import { BatchFiles } from "../remote/batch-files.ts";
import { openPool, serverFlags, splitUrls } from "../remote/servers.ts";
import type { ServeFlags } from "../serve/flags.ts";
import { lazyModel } from "../serve/models.ts";

/** Answers at the same time, where a model of this machine computes. */
const PARALLEL = 8;

export const batch: Command = defineCommand({
  name: "batch",
  usage: "REQUESTS",
  positionals: [1, 1024],
  about: `Answers the requests of a file in OpenAI's batch form: one JSON object per line with custom_id, method, url and body,
for ${BATCH_URLS.join(", ")}.
A model of this machine computes (-m), or servers (--url). Every result is appended to RESULTS as it comes; a run that was
ended, at any moment, goes on with what is missing; at the end the results stand in the order of the requests. A request
without a seed gets one that follows from its custom_id and body, and a result holds no times and no random ids, so RESULTS
has the same bytes whoever answered. A failing server is asked again later, and one that comes late joins.
The exit code is 1 if a request has no answer in the end. --json prints { "total", "completed", "failed" }.`,
  flags: {
    model: modelFlag,
    out: text("-o, --output", "RESULTS", "the file of the results"),
    ...serverFlags,
    parallel: number(
      "-np, --parallel",
      "N",
      { min: 1, max: 4096, integer: true },
      "answers at the same time (default 8), or most requests that a server has at the same time (default 64)",
    ),
    ...runtimeFlags,
    force: forceFlag,
    json: jsonFlag,
  },
  async run({ flags: given, positionals }) {
    const { urls, rest } = splitUrls(positionals, given);
    const [requests] = rest;
    if (requests === undefined || rest.length > 1) throw missing("REQUESTS", "name one file of requests");
    const { out } = given;
    if (out === undefined) throw missing("-o", "name the file of the results");
    await checkFiles(requests, out);
    const held = await lock(`${out}.lock`, undefined, 0);
    try {
      if (given.force) await rm(out, { force: true });
      const files = await BatchFiles.open(requests, out);
      if (files.journal.size < files.total) {
        if (files.journal.size > 0) note(`nibble: going on after ${files.journal.size} of ${files.total} requests`);
        const { pool, close } = urls.length > 0 ? await remote(urls, given) : await local(given);
        try {
          await answerAll(files, pool, { title: out, isLocal: urls.length === 0 });
        } finally {
          await close();
        }
      }
      await files.sort();
      await report(files, given.json);
    } finally {
      await held.release();
    }
  },
});

/** @throws NibbleError `io_error` where the results would replace the requests, or have no folder */
async function checkFiles(requests: string, out: string): Promise<void> {
  const statsOf = (path: string): Promise<Stats | undefined> => ifThere(path, () => stat(path));
  const folder = await statsOf(dirname(out));
  if (!folder?.isDirectory()) throw new NibbleError("io_error", `${out}: its folder ${dirname(out)} does not exist`);
  const [input, output] = await Promise.all([requests, out].map(statsOf));
  if (output && !output.isFile()) throw new NibbleError("io_error", `${out}: expected a regular file to write`);
  if (input && output && input.dev === output.dev && input.ino === output.ino)
    throw new NibbleError("io_error", `${out}: it is the file of the requests, and cannot be that of the results too`);
}

interface Computing {
  readonly pool: ServerPool;
  close(): Promise<void>;
}

type BatchFlags = Parameters<typeof openPool>[1] & ServeFlags;

async function remote(urls: readonly string[], given: BatchFlags): Promise<Computing> {
  const pool = await openPool(urls, given);
  return { pool, close: async () => pool.close() };
}

/** The model behind a server's handler, so that answers are those of `nibble serve`. */
async function local(given: BatchFlags): Promise<Computing> {
  const slots = given.parallel ?? PARALLEL;
  const lazy = lazyModel(given.model ?? DEFAULT_MODEL, [], { flags: given, chatTemplate: undefined });
  const model = await lazy.load();
  const handler = createHandler([{ ...lazy, loaded: model, idleMs: Infinity }], {
    slots,
    queue: 2 * slots,
    maxBodyBytes: MAX_LINE_BYTES,
    onWarning: (message) => note(`nibble: ${message}`),
    onError: (error) => note(`nibble: internal error: ${error instanceof Error ? error.stack : String(error)}`),
  });
  const pool = new ServerPool([batchServer({ url: "http://localhost", fetch: handler })], { maxInFlight: 2 * slots });
  return {
    pool,
    async close() {
      pool.close();
      await handler.close(0);
      model.dispose();
    },
  };
}

interface AnswerOptions {
  readonly title: string;
  readonly isLocal: boolean;
}

async function answerAll(files: BatchFiles, pool: ServerPool, { title, isLocal }: AnswerOptions): Promise<void> {
  const { journal, total } = files;
  const progress = new Progress(title, "requests");
  let models = journal.fingerprints.size;
  try {
    await runBatch(files.missing(), pool, {
      async onResult(line) {
        await journal.add(line);
        progress.update(journal.size, total);
        if (journal.fingerprints.size <= Math.max(1, models)) return;
        models = journal.fingerprints.size;
        const message = `the answers come from different models: ${[...journal.fingerprints].join(", ")}`;
        if (isLocal) throw new NibbleError("io_error", `${title}: ${message}; start anew with --force`);
        note(`nibble: ${message}`);
      },
    });
  } finally {
    progress.end();
  }
}

async function report({ journal, total }: BatchFiles, json: boolean | undefined): Promise<void> {
  const { completed } = journal;
  const failed = total - completed;
  if (journal.unanswered > 0) process.exitCode = 1;
  if (json) return printJson({ total, completed, failed });
  const unanswered =
    journal.unanswered > 0 ? `, ${journal.unanswered} of them without an answer; another run asks again` : "";
  await printLines(
    `${completed} of ${total} requests completed${failed > 0 ? `, ${failed} failed${unanswered}` : ""}\n`,
  );
}
