/**
 * A repository of the hub: which files it has, and which of them make up the model that was asked for.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { isObject, parseJsonObject } from "../base/json.ts";
import { splitNames } from "../formats/gguf/shards.ts";
import { get, type HttpOptions } from "./http.ts";
import type { HubReference, RepositoryFile } from "./reference.ts";
import type { RemoteFile } from "./remote.ts";

/** The files of a model that is to be fetched. */
export interface Listing {
  /** The page of the repository, or the URL. */
  readonly source: string;
  /** The commit. */
  readonly revision?: string | undefined;
  readonly licence?: string | undefined;
  /** One GGUF, its shards in order, or the files of a folder. For a file with only a URL, its server must be asked. */
  readonly files: readonly (RemoteFile | { readonly url: URL })[];
}

export interface HubOptions extends HttpOptions {
  /** The hub's address, such as `https://huggingface.co`. */
  readonly endpoint: string;
}

const MAX_LISTING_BYTES = 16 * 2 ** 20;
const MAX_FILE_BYTES = 2 ** 45;
/** The quantisations that are looked for if none was asked for: first a small and good one, then larger ones. */
const DEFAULT_QUANTS = ["Q4_K_M", "Q4_0", "Q8_0"];
/** The files of a Hugging Face folder that we read. */
const FOLDER =
  /^(?:(?:config|generation_config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json|chat_template\.jinja|additional_chat_templates\/[\w-]+\.jinja|model(?:-\d{5}-of-\d{5})?\.safetensors|README\.md|(?:modules|config_sentence_transformers|sentence_bert_config)\.json|\d+_\w+\/(?:config\.json|model\.safetensors))$/;

/**
 * Asks the hub which files a reference stands for. For a pinned file the registry has the answer.
 * @throws NibbleError `missing_file`; `unauthorized` with what to do for a gated repository; `bad_json`, `io_error`
 */
export async function listRepository(reference: HubReference, options: HubOptions): Promise<Listing> {
  const { repository, revision, known } = reference;
  const source = `${options.endpoint}/${repository}`;
  if (known?.pinned) {
    const { name, bytes, sha256 } = known.pinned;
    return {
      source,
      revision,
      licence: known.licence,
      files: [fileOf(source, revision, { path: name, bytes, sha256 })],
    };
  }
  const kind = repository.startsWith("datasets/") ? "" : "models/";
  const api = new URL(`${options.endpoint}/api/${kind}${repository}/revision/${encodeURIComponent(revision)}`);
  // With this, the listing has sizes and hashes too.
  api.searchParams.set("blobs", "true");
  const { answer, body } = await get(
    api,
    {},
    { ...options, expected: [200, 401, 403, 404], maxBytes: MAX_LISTING_BYTES },
  );
  if (answer.status !== 200) throw refusal(answer.status, reference, options);
  const facts = parseJsonObject(body, { name: api.href, roundIntegers: true });
  const commit = facts.get("sha");
  const card = facts.get("cardData");
  const licence = known?.licence ?? (isObject(card) ? card.get("license") : undefined);
  const at = typeof commit === "string" && /^[0-9a-f]{40}$/.test(commit) ? commit : revision;
  const siblings = facts.get("siblings");
  const entries = (Array.isArray(siblings) ? (siblings as readonly Json[]) : [])
    .map(entryOf)
    .filter((one) => one !== undefined);
  return {
    source,
    revision: at,
    licence: typeof licence === "string" ? licence : undefined,
    files: (reference.select?.(entries, card) ?? choose(entries, reference)).map((entry) => fileOf(source, at, entry)),
  };
}

/**
 * The error for a repository that the hub does not give, with what the user can do. Without a token the hub answers 401 for
 * a name that does not exist, too.
 */
export function refusal(
  status: number,
  { repository, revision, known }: HubReference,
  options: HubOptions,
): NibbleError {
  const at = `${options.endpoint}/${repository}`;
  if (status === 404)
    return new NibbleError("missing_file", `${options.endpoint} has no repository ${repository} at ${revision}`);
  const again = options.token === undefined ? "HF_TOKEN is not set" : "HF_TOKEN's owner may not read it";
  const gate = known?.gated ? `is gated (licence ${known.licence})` : "is gated, private or not there";
  return new NibbleError(
    options.token === undefined ? "unauthorized" : "forbidden",
    `${repository} ${gate} and ${again}: accept its licence at ${at}, then set HF_TOKEN to a token of ${options.endpoint}/settings/tokens`,
  );
}

function fileOf(source: string, revision: string, { path, bytes, sha256 }: RepositoryFile): RemoteFile | { url: URL } {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${source}/resolve/${encodeURIComponent(revision)}/${encoded}`);
  return sha256 === undefined ? { url } : { url, name: path.split("/").pop()!, bytes, sha256 };
}

function entryOf(value: Json): RepositoryFile | undefined {
  if (!isObject(value)) return undefined;
  const path = value.get("rfilename");
  const bytes = value.get("size");
  const lfs = value.get("lfs");
  const sha256 = isObject(lfs) ? lfs.get("sha256") : undefined;
  const plain =
    typeof path === "string" && path.length < 1024 && path.split("/").every((part) => !/^\.{0,2}$/.test(part));
  if (!plain || typeof bytes !== "number" || !(bytes > 0) || bytes > MAX_FILE_BYTES) return undefined;
  return { path, bytes, sha256: typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined };
}

/** The GGUF file that was asked for with all its shards, else the files of a safetensors folder. */
function choose(
  entries: readonly RepositoryFile[],
  { repository, quant, known }: HubReference,
): readonly RepositoryFile[] {
  const ggufs = entries.filter(({ path }) => /\.gguf$/i.test(path) && !/mmproj|imatrix/i.test(path));
  const folder = entries.filter(({ path }) => FOLDER.test(path));
  const isFolder = folder.some(({ path }) => path.endsWith(".safetensors"));
  if (quant === undefined && isFolder && (known || ggufs.length === 0)) return folder;
  const wishes = quant === undefined ? DEFAULT_QUANTS : [quant];
  const first = wishes.map((wish) => ggufs.find(({ path }) => isQuant(path, wish))).find((one) => one !== undefined);
  const chosen = first ?? (quant === undefined ? ggufs[0] : undefined);
  if (!chosen) {
    const there = ggufs
      .map(({ path }) => path)
      .slice(0, 20)
      .join(", ");
    throw new NibbleError(
      "missing_file",
      `${repository}: expected ${quant ?? "a GGUF or a safetensors folder"}, got ${there || "no GGUF"}`,
    );
  }
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return (splitNames(chosen.path) ?? [chosen.path]).map((path) => {
    const shard = byPath.get(path);
    if (shard) return shard;
    throw new NibbleError(
      "missing_file",
      `${repository}: the shard ${path} is missing; all shards of ${chosen.path} are required`,
    );
  });
}

/**
 * Whether a file, or the first shard of one, has a quantisation: `Q4_K_M` is that of `Model-Q4_K_M.gguf` and of
 * `Q4_K_M/Model-Q4_K_M-00001-of-00002.gguf`, but not of `Model-IQ4_K_M.gguf`.
 */
function isQuant(path: string, wish: string): boolean {
  if (/\.gguf$/i.test(wish)) return path === wish;
  const shard = /-(\d{5})-of-\d{5}\.gguf$/i.exec(path)?.[1];
  const parts = path
    .toUpperCase()
    .split("/")
    .pop()!
    .replace(/\.GGUF$/, "")
    .split(/[-.]/);
  return parts.includes(wish.toUpperCase()) && (shard === undefined || shard === "00001");
}
