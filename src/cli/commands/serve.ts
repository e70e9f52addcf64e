/**
 * `nibble serve`: OpenAI's and Anthropic's APIs over HTTP.
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NibbleError } from "../../base/errors.ts";
import type { Model } from "../../engine/model.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { type Listener, listen } from "../../hosts/node/server.ts";
import { createLoad, createPlan } from "../../load/create-load.ts";
import { createHandler, type Handler } from "../../server/handler.ts";
import type { SlotStore } from "../../server/llama-server/slot-store.ts";
import type { HandlerOptions } from "../../server/options.ts";
import { loraFlags, loraOptions } from "../adapters.ts";
import { type Command, defineCommand } from "../command.ts";
import { number, repeated, text, toggle, UsageError, type Values } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL, givenModel, jsonFlag, loading, modelFlag, runtimeFlags, runtimeOptions } from "../model.ts";
import { note, print, printJson } from "../output.ts";
import { toPlayground, withPlayground } from "../playground.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
/** Contexts that the cache has room for. With room for one only, long conversations evict each other at every turn. */
const CACHED_CONTEXTS = 4;
const isText = (value: string): string | undefined => (value === "" ? undefined : value);

const serveFlags = {
  model: modelFlag,
  alias: text("-a, --alias", "NAME", "the model's name in answers (default: its file's)"),
  host: text("--host", "ADDRESS", "address to listen on (default 127.0.0.1)"),
  port: number("--port", "N", { min: 0, max: 65535, integer: true }, "port (default 8080; 0: any that is free)"),
  apiKeys: repeated({
    names: "--api-key",
    placeholder: "KEY",
    expected: "text",
    help: "a key that clients must send; the flag may be repeated",
    read: isText,
  }),
  apiKeyFile: text(
    "--api-key-file",
    "FILE",
    "a file with one key per line (flags are visible to other users of this machine)",
  ),
  insecure: toggle("--insecure", "listen beyond this machine without keys"),
  cors: repeated({
    names: "--cors",
    placeholder: "ORIGIN",
    expected: "text",
    help: "an origin whose pages may read answers, or *",
    read: isText,
  }),
  parallel: number(
    "-np, --parallel",
    "N",
    { min: 1, max: 4096, integer: true },
    "answers generated at once (default 8)",
  ),
  cacheTokens: number(
    "--cache-tokens",
    "N",
    { min: 32, integer: true },
    `tokens of all conversations in the cache (default: ${CACHED_CONTEXTS} times -c)`,
  ),
  queue: number(
    "--queue",
    "N",
    { min: 0, integer: true },
    "requests that may wait (default 64); further ones get status 429",
  ),
  slots: text("--slot-save-path", "FOLDER", "where /slots/N saves and restores conversations (default: nowhere)"),
  grace: number(
    "--grace",
    "SECONDS",
    { min: 0, max: 3600 },
    "how long answers may go on when the server ends (default 30)",
  ),
  ...runtimeFlags,
  ...loraFlags,
  json: jsonFlag,
};

type ServeFlags = Partial<Values<typeof serveFlags>>;

export const serve: Command = defineCommand({
  name: "serve",
  usage: "[MODEL]",
  positionals: [0, 1],
  about: `Answers /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/models, Anthropic's
/v1/messages, /tokenize, /detokenize, /apply-template, /props, /health and /metrics. At / it serves a page that runs a
model in the browser. Only this machine can reach it unless --host says otherwise, and then an API key must be set.
SIGTERM or Ctrl-C lets answers under way end; a second one ends the process at once.
--json prints { "url", "model" } when the server listens.`,
  flags: serveFlags,
  async run({ flags: given, positionals: [argument] }) {
    const source = givenModel(argument, given.model) ?? DEFAULT_MODEL;
    const access = await readAccess(given);
    if (given.slots !== undefined && !statSync(given.slots, { throwIfNoEntry: false })?.isDirectory())
      throw new NibbleError("missing_file", `--slot-save-path: there is no folder ${given.slots}`);
    const model = await loadModel(source, given);
    const handler = createHandler(model, handlerOptions(given, access));
    const { host = "127.0.0.1", port = 8080 } = given;
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

interface Access {
  readonly apiKeys: readonly string[];
  /** Whether only this machine can reach the server. */
  readonly local: boolean;
}

/** @throws UsageError for a server that everybody could use, unless --insecure says that this is wanted */
async function readAccess({ host = "127.0.0.1", insecure = false, ...given }: ServeFlags): Promise<Access> {
  const fromFile = given.apiKeyFile === undefined ? [] : await readKeys(given.apiKeyFile);
  const apiKeys = [...(given.apiKeys ?? []), ...fromFile];
  const local = LOOPBACK.includes(host) || host === "::1";
  if (!local && apiKeys.length === 0 && !insecure) {
    const message = `--host ${host}: it requires --api-key, or --insecure, because other machines could use the server`;
    throw new UsageError(message, "--host");
  }
  return { apiKeys, local };
}

/** Loads the model with a key-value cache for several conversations. */
async function loadModel(source: string, given: ServeFlags): Promise<Model> {
  const named = given.alias === undefined ? {} : { name: given.alias };
  return loading(source, { ...runtimeOptions(given), ...loraOptions(given) }, async (all) => {
    const { contextLength } = await createPlan(nodeHost)(source, all);
    const cacheTokens = given.cacheTokens ?? CACHED_CONTEXTS * contextLength;
    return createLoad(nodeHost)(source, { ...all, ...named, cacheTokens });
  });
}

function handlerOptions({ cors, parallel, queue, slots }: ServeFlags, { apiKeys, local }: Access): HandlerOptions {
  return {
    apiKeys,
    cors: cors?.includes("*") ? "*" : (cors ?? []),
    ...(local && apiKeys.length === 0 && { hosts: LOOPBACK }),
    ...(parallel !== undefined && { slots: parallel }),
    ...(queue !== undefined && { queue }),
    ...(slots !== undefined && { slotStore: folderStore(slots) }),
    page: toPlayground,
    onError: (error) => note(`nibble: internal error: ${error instanceof Error ? error.stack : String(error)}`),
  };
}

/** The error for an address that does not exist or a port that is taken. */
function addressError(cause: NodeJS.ErrnoException, host: string, port: number): unknown {
  if (cause.code === undefined) return cause;
  const why = cause.code === "EADDRINUSE" ? "the port is taken; --port chooses another" : "it cannot be listened on";
  return new NibbleError("io_error", `${host}:${port}: ${why} (${cause.message})`, { cause });
}

/** A file is written under another name first, so that it is whole or not there. */
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

async function readKeys(file: string): Promise<string[]> {
  const keys = (await readText(file)).split(/\r?\n/).filter((line) => line !== "");
  if (keys.length === 0) throw new UsageError(`--api-key-file ${file}: there is no key in it`);
  return keys;
}

/** The first signal lets answers end. The second finds no listener and ends the process at once. */
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
