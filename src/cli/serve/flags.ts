/**
 * The flags of `nibble serve`, with llama-server's names where it has them.
 * @module
 */
import type { Pooling } from "../../engine/schedule/batch-plan.ts";
import { loraFlags } from "../adapters.ts";
import { draftFlags } from "../drafts.ts";
import { ANSWER_LENGTH, accepted, type Flag, number, oneOf, repeated, text, toggle, type Values } from "../flags.ts";
import { jsonFlag, modelFlag, runtimeFlags } from "../model.ts";
import { samplingFlags } from "../sampling.ts";
import { CACHED_CONTEXTS } from "../shared-cache.ts";

/** Responses of /v1/responses that are kept unless --response-store says otherwise. */
export const STORED_RESPONSES = 256;
/** Seconds without a request after which one of several models is dropped, as Ollama does. */
export const IDLE_SECONDS = 300;

const isText = (value: string): string | undefined => (value === "" ? undefined : value);
const count = { min: 0, integer: true };

/** Flags for the address and the access to the server. */
const access = {
  host: text("--host", "ADDRESS", "address to listen on (default 127.0.0.1)"),
  port: number("--port", "N", { min: 0, max: 65535, integer: true }, "port (default 8080; 0: any that is free)"),
  apiKeys: repeated({
    names: "--api-key",
    placeholder: "KEY",
    expected: "text",
    help: "a key that clients must send; several are separated by commas, or the flag is repeated",
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
  noUi: toggle("--no-ui, --no-webui", "serve no page at /"),
};

/** Flags for the numbers of requests and models at once, and for stored data. */
const capacity = {
  parallel: number(
    "-np, --parallel",
    "N",
    { min: 1, max: 4096, integer: true },
    "answers generated at once (default 8)",
  ),
  queue: number("--queue", "N", count, "requests that may wait (default 64); further ones get status 429"),
  cacheTokens: number(
    "--cache-tokens",
    "N",
    { min: 32, integer: true },
    `tokens of all conversations in the cache (default: ${CACHED_CONTEXTS} times -c)`,
  ),
  modelsMax: number("--models-max", "N", count, "most models in memory at once (default 4; 0: as many as fit)"),
  idle: number(
    "--sleep-idle-seconds",
    "N",
    { min: -1 },
    `seconds without a request after which a model is dropped (default ${IDLE_SECONDS}; with one model, and for -1, never)`,
  ),
  noReload: toggle(
    "--no-reload",
    "end with status 1 where a model can compute no more (default: load it again, up to 3 times in ten minutes)",
  ),
  responseStore: number(
    "--response-store",
    "N",
    count,
    `responses that previous_response_id can name (default ${STORED_RESPONSES}; 0: none)`,
  ),
  files: text(
    "--files-dir",
    "FOLDER",
    "where /v1/files and /v1/batches keep files, so that batches go on after a restart (default: in memory)",
  ),
  slots: text("--slot-save-path", "FOLDER", "where /slots/N saves and restores conversations (default: nowhere)"),
  slotKeyFile: text(
    "--slot-key-file",
    "FILE",
    "a secret of at least 32 bytes that signs saved slots; no others are restored (default: one made in the cache)",
  ),
  sharePrefixes: toggle(
    "--share-prefixes",
    "reuse cached prefixes across API keys too (the time to a first token then tells what others have sent)",
  ),
  grace: number(
    "--grace",
    "SECONDS",
    { min: 0, max: 3600 },
    "how long answers may go on when the server ends (default 30)",
  ),
};

/** Flags for the settings of requests that name none. */
const requests = {
  strict: toggle("--strict", "refuse fields of requests that nobody knows (default: ignore and log them)"),
  pooling: oneOf(
    "--pooling",
    "NAME",
    ["none", "mean", "cls", "last"] as const,
    "none, mean, cls or last: how embeddings are made of the tokens' vectors (default: the model's own)",
  ),
  reasoning: oneOf(
    "-rea, --reasoning",
    "NAME",
    ["on", "off", "auto"] as const,
    "off: answers without reasoning, as --reasoning-budget 0; on: the template's enable_thinking; auto (default): as it is",
  ),
  chatTemplate: text(
    "--chat-template",
    "TEMPLATE",
    "chatml, llama3, gemma, or Jinja source, in place of the model's own",
  ),
  chatTemplateFile: text("--chat-template-file", "FILE", "the same, from a file"),
  templateVariables: text(
    "--chat-template-kwargs",
    "JSON",
    'variables of the chat template, such as {"enable_thinking": false}',
  ),
  reasoningFormat: oneOf(
    "--reasoning-format",
    "NAME",
    ["auto", "none", "deepseek", "deepseek-legacy"] as const,
    "auto (default) and deepseek: reasoning comes apart from the content; none: within it",
  ),
  reasoningBudget: number(
    "--reasoning-budget",
    "N",
    { min: -1, integer: true },
    "most tokens of reasoning (0: none; default -1: no bound)",
  ),
  predict: number(ANSWER_LENGTH, "N", { min: -1, integer: true }, "most tokens of an answer (-1: no bound)"),
  keep: number("--keep", "N", { min: -1, integer: true }, "tokens of the prompt that a context shift keeps (-1: all)"),
  spmInfill: toggle(
    "--spm-infill",
    "where a gap is filled, send the model what follows it first (suffix, prefix, middle)",
  ),
  contextShift: toggle("--context-shift", "where the context is full, forget half of it; for requests with a bound"),
  noContextShift: accepted("--no-context-shift", false),
};

/** Flags of llama-server whose effect is the default here, or that concern hardware and libraries that are not used. */
const SWITCHES =
  "--jinja, --metrics, --slots, --props, --ui, --webui, -cb, --cont-batching, --cache-prompt, --embedding, --embeddings, " +
  "--mlock, --mmap, --no-mmap, --warmup, --no-warmup, --no-perf, --perf, --log-disable, --prefill-assistant, -kvu, --kv-unified, " +
  "--swa-full, --no-repack, --repack, --no-kv-offload, --kv-offload, -e, --escape";
const VALUES =
  "-ngl, --gpu-layers, --n-gpu-layers, -fa, --flash-attn, -ub, --ubatch-size, -tb, --threads-batch, --threads-http, " +
  "-to, --timeout, --prio, --poll, -sm, --split-mode, -mg, --main-gpu, -dev, --device, --numa, -lv, --verbosity, " +
  "--spec-type, --draft-p-split, --spec-draft-p-split, -ngld, --gpu-layers-draft, --n-gpu-layers-draft, -devd, " +
  "--device-draft, -cd, --ctx-size-draft, -td, --threads-draft, -ctkd, --cache-type-k-draft, -ctvd, --cache-type-v-draft, " +
  "--cache-reuse, -cram, --cache-ram, -sps, --slot-prompt-similarity, --sse-ping-interval, --load-mode, -lm";

type Texts =
  | (
      | "model"
      | "alias"
      | "host"
      | "apiKeyFile"
      | "slots"
      | "files"
      | "slotKeyFile"
      | "chatTemplate"
      | "chatTemplateFile"
      | "templateVariables"
    )
  | ("noContextShift" | "switches" | "values");
type Numbers =
  | ("port" | "parallel" | "queue" | "cacheTokens" | "modelsMax" | "idle" | "responseStore" | "grace")
  | ("reasoningBudget" | "predict" | "keep");
type Switches =
  | "insecure"
  | "noReload"
  | "sharePrefixes"
  | "noUi"
  | "strict"
  | "contextShift"
  | "spmInfill"
  | "loraOff"
  | "json";

type ServeFlagTable = Readonly<
  Record<Texts, Flag<string>> &
    Record<Numbers, Flag<number>> &
    Record<Switches, Flag<boolean>> &
    Record<"apiKeys" | "cors", Flag<string[]>> &
    Record<"reasoningFormat", Flag<"auto" | "none" | "deepseek" | "deepseek-legacy">> &
    Record<"reasoning", Flag<"on" | "off" | "auto">> &
    Record<"pooling", Flag<Pooling>> &
    typeof samplingFlags &
    typeof runtimeFlags &
    typeof loraFlags &
    typeof draftFlags
>;

export const serveFlags: ServeFlagTable = {
  model: modelFlag,
  alias: text("-a, --alias", "NAME", "the model's name in answers, and more names after commas (default: its file's)"),
  ...access,
  ...capacity,
  ...requests,
  ...samplingFlags,
  ...runtimeFlags,
  ...loraFlags,
  ...draftFlags,
  loraOff: toggle("--lora-init-without-apply", "adapters are off until POST /lora-adapters turns them on"),
  switches: accepted(SWITCHES, false),
  values: accepted(VALUES, true),
  json: jsonFlag,
};

export type ServeFlags = Partial<Values<ServeFlagTable>>;
