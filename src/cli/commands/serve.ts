/**
 * `nibble serve`: OpenAI's, Anthropic's, llama-server's and Ollama's APIs over HTTP.
 * @module
 */
import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { NibbleError } from "../../base/errors.ts";
import { io } from "../../hosts/node/io.ts";
import { type Listener, listen } from "../../hosts/node/server.ts";
import { createHandler, type Handler } from "../../server/handler.ts";
import type { LostModel } from "../../server/models/recovery.ts";
import type { LazyModel } from "../../server/models/source.ts";
import type { HandlerOptions } from "../../server/options.ts";
import { type Command, defineCommand } from "../command.ts";
import { conflict, requires, UsageError } from "../flags.ts";
import { readText } from "../input.ts";
import { DEFAULT_MODEL } from "../model.ts";
import { note, printJson, printLines } from "../output.ts";
import { folderBlobs } from "../remote/folder-blobs.ts";
import { Failure } from "../serve/failure.ts";
import { IDLE_SECONDS, type ServeFlags, STORED_RESPONSES, serveFlags } from "../serve/flags.ts";
import { cacheLibrary, lazyModel, type ModelSettings } from "../serve/models.ts";
import { toPlayground, withPlayground } from "../serve/playground.ts";
import { requestDefaults } from "../serve/request-defaults.ts";
import { folderStore } from "../serve/slot-folder.ts";
import { readSlotKey } from "../serve/slot-key.ts";

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const MAX_MODELS = 256;
/** Most bytes of --files-dir. */
const FILES_ON_DISK = 16 * 2 ** 30;

export const serve: Command = defineCommand({
  name: "serve",
  usage: "[MODEL...]",
  positionals: [0, MAX_MODELS],
  about: `Answers the APIs of OpenAI (/v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/files, /v1/batches, /v1/models),
Anthropic (/v1/messages), llama-server (/completion, /infill, /tokenize, /props, /slots, /health, /metrics, ...) and Ollama (/api/chat,
/api/generate, /api/embed, /api/tags, /api/pull, ...). The first model is loaded at once, others when a request names them. At /
it serves a page that runs a model in the browser. Only this machine can reach it unless --host says otherwise, and then an
API key must be set. SIGTERM or Ctrl-C lets answers under way end; a second one ends the process at once.
--json prints { "url", "model" } when the server listens.`,
  flags: serveFlags,
  async run({ flags: given, positionals }) {
    const access = await readAccess(given);
    if (given.slots !== undefined && !statSync(given.slots, { throwIfNoEntry: false })?.isDirectory())
      throw new NibbleError("missing_file", `--slot-save-path: there is no folder ${given.slots}`);
    if (given.files !== undefined) await io(given.files, () => mkdir(given.files!, { recursive: true }));
    const settings = { flags: given, chatTemplate: await readTemplate(given) };
    const [first, ...others] = readModels(positionals, settings);
    // The only model of a server stays unless a time was given.
    const stays = others.length === 0 && given.idle === undefined;
    const models = [{ ...first!, loaded: await first!.load(), ...(stays && { idleMs: Infinity }) }, ...others];
    const slotKey = await readSlotKey(given);
    const options = handlerOptions(given, access, settings);
    const failure = new Failure();
    const onLost = (lost: LostModel): void => failure.note(lost);
    const handler = createHandler(models, { ...options, onLost, ...(slotKey && { slotKey }) });
    const { host = "127.0.0.1", port = 8080 } = given;
    const listener = await listen(given.noUi ? handler : withPlayground(handler), { host, port }).catch((error) => {
      throw addressError(error, host, port);
    });
    const graceMs = (given.grace ?? 30) * 1000;
    const ended = endOnSignal(handler, listener, graceMs);
    if (given.json) await printJson({ url: listener.url, model: first!.name });
    else await printLines(`${models.map(({ name }) => name).join(", ")} at ${listener.url}\n`);
    const lost = failure.happened.catch(async (error) => {
      await handler.close(graceMs);
      await listener.close();
      throw error;
    });
    await Promise.race([ended, lost]);
  },
});

/** The models of the command line, the first one by its alias. */
function readModels(positionals: readonly string[], settings: ModelSettings): LazyModel[] {
  const { model, alias } = settings.flags;
  if (positionals.length > 0 && model !== undefined) throw conflict("MODEL", "-m", "both name the model");
  const sources = positionals.length > 0 ? positionals : [model ?? DEFAULT_MODEL];
  const names = alias?.split(",").filter((name) => name !== "") ?? [];
  if (sources.length > 1 && names.length > 0)
    throw conflict("--alias", "several models", "a server of several tells them apart by their own names");
  const models = sources.map((source) => lazyModel(source, names, settings));
  const twice = models.find(({ name }, i) => models.findIndex((one) => one.name === name) < i);
  if (twice)
    throw new UsageError(`serve: there are two models of the name ${twice.name}; requests could not tell them apart`);
  return models;
}

/** The name of a template, or its Jinja source, in place of the model's own. */
async function readTemplate({ chatTemplate, chatTemplateFile }: ServeFlags): Promise<string | undefined> {
  if (chatTemplate !== undefined && chatTemplateFile !== undefined)
    throw conflict("--chat-template", "--chat-template-file", "both name the template");
  return chatTemplateFile === undefined ? chatTemplate : readText(chatTemplateFile);
}

interface Access {
  readonly apiKeys: readonly string[];
  /** Whether only this machine can reach the server. */
  readonly local: boolean;
}

/** @throws UsageError for a server that everybody could use, unless --insecure says that this is wanted */
async function readAccess({ host = "127.0.0.1", insecure = false, ...given }: ServeFlags): Promise<Access> {
  const fromFile = given.apiKeyFile === undefined ? [] : await readKeys(given.apiKeyFile);
  const fromFlags = (given.apiKeys ?? []).flatMap((keys) => keys.split(",")).filter((key) => key !== "");
  const apiKeys = [...fromFlags, ...fromFile];
  const local = LOOPBACK.includes(host) || host === "::1";
  if (!local && apiKeys.length === 0 && !insecure)
    throw requires(`--host ${host}`, "--api-key, or --insecure", "other machines could use the server");
  return { apiKeys, local };
}

/** One key per line; lines that begin with # are comments. */
async function readKeys(file: string): Promise<string[]> {
  const keys = (await readText(file)).split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0) throw new UsageError(`--api-key-file ${file}: there is no key in it`);
  return keys;
}

function handlerOptions(given: ServeFlags, { apiKeys, local }: Access, settings: ModelSettings): HandlerOptions {
  const { cors, parallel, queue, slots, modelsMax, idle, strict, noUi } = given;
  const idleSeconds = idle ?? IDLE_SECONDS;
  return {
    apiKeys,
    cors: cors?.includes("*") ? "*" : (cors ?? []),
    // Strangers could fill the disk of a server without keys.
    ...((local || apiKeys.length > 0) && { library: cacheLibrary(settings) }),
    ...(local && apiKeys.length === 0 && { hosts: LOOPBACK }),
    ...(parallel !== undefined && { slots: parallel }),
    ...(queue !== undefined && { queue }),
    ...(modelsMax !== undefined && { modelsMax }),
    ...(idleSeconds >= 0 && { modelsIdleMs: idleSeconds * 1000 }),
    responseStore: given.responseStore ?? STORED_RESPONSES,
    ...(slots !== undefined && { slotStore: folderStore(slots) }),
    ...(given.files !== undefined && { fileStore: folderBlobs(given.files, FILES_ON_DISK) }),
    ...(given.sharePrefixes && { sharePrefixes: true }),
    ...(given.noReload && { reloads: 0 }),
    ...(!noUi && { page: toPlayground }),
    ...(strict && { strict }),
    ...(given.pooling && { pooling: given.pooling }),
    defaults: requestDefaults(given),
    onWarning: (message) => note(`nibble: ${message}`),
    onError: (error) => note(`nibble: internal error: ${error instanceof Error ? error.stack : String(error)}`),
  };
}

/** The error for an address that does not exist or a port that is taken. */
function addressError(cause: NodeJS.ErrnoException, host: string, port: number): unknown {
  if (cause.code === undefined) return cause;
  const why = cause.code === "EADDRINUSE" ? "the port is taken; --port chooses another" : "it cannot be listened on";
  return new NibbleError("io_error", `${host}:${port}: ${why} (${cause.message})`, { cause });
}

/** The first signal lets answers end. The second finds no listener and ends the process at once. */
function endOnSignal(handler: Handler, listener: Listener, graceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) process.off(signal, end);
      note("nibble: ending after the answers that are running");
      handler
        .close(graceMs)
        .then(() => listener.close())
        .then(resolve, reject);
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, end);
  });
}
