/**
 * `nibble serve`: OpenAI's and Anthropic's APIs over HTTP.
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { type Listener, listen } from "../../hosts/node/server.ts";
import { createLoad, createPlan } from "../../load/create-load.ts";
import { createHandler, type Handler } from "../../server/handler.ts";
import type { SlotStore } from "../../server/llama-server/slots.ts";
import { loraFlags, loraOptions } from "../adapters.ts";
import { type Command, defineCommand } from "../command.ts";
import { number, repeated, text, toggle, UsageError } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, loading, modelFlag, runtimeFlags, runtimeOptions } from "../model.ts";
import { note, print, printJson } from "../output.ts";
import { toPlayground, withPlayground } from "../playground.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
/** With room for one, eight long conversations push each other out of the cache and are read again and again. */
const CACHED_CONTEXTS = 4;
const isText = (value: string): string | undefined => (value === "" ? undefined : value);

export const serve: Command = defineCommand({
  name: "serve",
  usage: "[MODEL]",
  positionals: [0, 1],
  about: `Answers /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/models, Anthropic's
/v1/messages, /tokenize, /detokenize, /apply-template, /props, /health and /metrics; at / a page that runs a model in the
browser. Only this machine can reach it unless --host says otherwise, and then an API key must be set. SIGTERM or Ctrl-C
lets answers under way end (a second one does not).
--json: { "url", "model" } once it listens.`,
  flags: {
    model: modelFlag,
    alias: text("-a, --alias", "NAME", "the model's name in answers (default: of its file)"),
    host: text("--host", "ADDRESS", "address to listen on (default 127.0.0.1)"),
    port: number("--port", "N", { min: 0, max: 65535, integer: true }, "port (default 8080; 0: any that is free)"),
    apiKeys: repeated("--api-key", "KEY", "text", "a key that clients must send; may come more than once", isText),
    apiKeyFile: text("--api-key-file", "FILE", "a file with such keys, one a line (other users can see flags)"),
    insecure: toggle("--insecure", "listen beyond this machine without keys"),
    cors: repeated("--cors", "ORIGIN", "text", "an origin whose pages may read answers, or *", isText),
    parallel: number("-np, --parallel", "N", { min: 1, max: 4096, integer: true }, "answers made at once (default 8)"),
    cacheTokens: number(
      "--cache-tokens",
      "N",
      { min: 32, integer: true },
      `tokens that all conversations together may keep (default: ${CACHED_CONTEXTS} times -c)`,
    ),
    queue: number("--queue", "N", { min: 0, integer: true }, "requests that may wait (default 64); more are told 429"),
    slots: text("--slot-save-path", "FOLDER", "where /slots/N saves and finds conversations (default: it does not)"),
    grace: number("--grace", "SECONDS", { min: 0, max: 3600 }, "how long answers may go on at the end (default 30)"),
    ...runtimeFlags,
    ...loraFlags,
    json: jsonFlag,
  },
  async run({ flags: given, positionals: [argument] }) {
    if (argument !== undefined && given.model !== undefined) throw new UsageError("expected MODEL or -m, got both");
    const { host = "127.0.0.1", port = 8080, insecure = false } = given;
    const apiKeys = [
      ...(given.apiKeys ?? []),
      ...(given.apiKeyFile === undefined ? [] : await keysOf(given.apiKeyFile)),
    ];
    const local = LOOPBACK.includes(host) || host === "::1";
    if (!local && apiKeys.length === 0 && !insecure)
      throw new UsageError(`--host ${host}: expected --api-key with it, or --insecure: anyone could use it`, "--host");

    if (given.slots !== undefined && !statSync(given.slots, { throwIfNoEntry: false })?.isDirectory())
      throw new NibbleError("missing_file", `--slot-save-path: expected a folder, got ${given.slots}`);
    const source = argument ?? given.model ?? DEFAULT_MODEL;
    const named = given.alias === undefined ? {} : { name: given.alias };
    const model = await loading(source, { ...runtimeOptions(given), ...loraOptions(given) }, async (all) => {
      const { contextLength } = await createPlan(nodeHost)(source, all);
      const cacheTokens = given.cacheTokens ?? CACHED_CONTEXTS * contextLength;
      return createLoad(nodeHost)(source, { ...all, ...named, cacheTokens });
    });
    const handler = createHandler(model, {
      apiKeys,
      cors: given.cors?.includes("*") ? "*" : (given.cors ?? []),
      ...(local && apiKeys.length === 0 && { hosts: LOOPBACK }),
      ...(given.parallel !== undefined && { slots: given.parallel }),
      ...(given.queue !== undefined && { queue: given.queue }),
      ...(given.slots !== undefined && { slotStore: folderStore(given.slots) }),
      page: toPlayground,
      onError: (error) => note(`nibble: internal error: ${error instanceof Error ? error.stack : String(error)}`),
    });
    const listener = await listen(withPlayground(handler), { host, port }).catch((error) => {
      throw addressError(error, host, port);
    });
    const ended = endOnSignal(handler, listener, (given.grace ?? 30) * 1000);
    if (given.json) await printJson({ url: listener.url, model: model.info.name });
    else await print(`${model.info.name} at ${listener.url}\n`);
    await ended;
    model.dispose();
  },
});

/** Wrong addresses and ports that others have. */
function addressError(cause: NodeJS.ErrnoException, host: string, port: number): unknown {
  if (cause.code === undefined) return cause;
  const expected = cause.code === "EADDRINUSE" ? "a port that no one listens on (--port)" : "an address to listen on";
  return new NibbleError("io_error", `expected ${expected}, got ${host}:${port}: ${cause.message}`, { cause });
}

/** Written under another name first: a file is whole or not there. */
function folderStore(folder: string): SlotStore {
  return {
    read: async (name) =>
      existsSync(join(folder, name)) ? new Uint8Array(await readFile(join(folder, name))) : undefined,
    async write(name, bytes) {
      const path = join(folder, name);
      const partial = `${path}.${process.pid}.part`;
      await writeFile(partial, bytes);
      await rename(partial, path);
    },
  };
}

async function keysOf(file: string): Promise<string[]> {
  const keys = (await readText(file)).split(/\r?\n/).filter((line) => line !== "");
  if (keys.length === 0) throw new UsageError(`--api-key-file ${file}: expected a key a line, got none`);
  return keys;
}

/** The first signal lets answers end, the second ends the process as if nobody listened. */
function endOnSignal(handler: Handler, listener: Listener, graceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, end);
      note("nibble: ending; answers under way may go on");
      handler
        .close(graceMs)
        .then(() => listener.close())
        .then(resolve, reject);
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, end);
  });
}
