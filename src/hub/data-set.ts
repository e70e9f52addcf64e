/**
 * Data sets of the hub by name: `hf:datasets/owner/name[@revision]:[config/]split`. They are listed, fetched, verified and
 * kept as models are.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { isObject, type Json, parseJsonObject } from "../base/json.ts";
import type { ModelCache, ModelRecord } from "./cache.ts";
import { get } from "./http.ts";
import { type PullOptions, pull } from "./pull.ts";
import type { HubReference, RepositoryFile } from "./reference.ts";
import { dataFiles, type Split, splitFiles } from "./split-files.ts";

const PREFIX = "hf:datasets/";
/** The branch on which the hub keeps each split as Parquet, whatever its owner uploaded. */
const CONVERTED = "refs/convert/parquet";
const MAX_LIST_BYTES = 2 ** 22;

/** Whether a text means a data set. */
export function isDataSet(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** The name of a split of a data set. */
export function dataSetName(repository: string, { config, split }: Split): string {
  return `${PREFIX}${repository}:${config === undefined ? "" : `${config}/`}${split}`;
}

interface Name extends Split {
  readonly repository: string;
  readonly revision: string | undefined;
}

/** @throws NibbleError `invalid_argument` for text that does not name a split of a data set */
function readName(text: string): Name {
  const match =
    /^hf:(datasets\/[\w.-]{1,96}(?:\/[\w.-]{1,96})?)(?:@([\w./-]{1,255}))?:(?:([\w .+-]{1,255})\/)?([\w.-]{1,255})$/.exec(
      text,
    );
  const [, repository, revision, config, split] = match ?? [];
  const climbs = [repository, revision].some((part) => part?.split("/").some((name) => /^\.*$/.test(name)));
  if (repository === undefined || split === undefined || climbs)
    throw new NibbleError("invalid_argument", `expected ${PREFIX}owner/name[@revision]:[config/]split, got ${text}`);
  return { repository, revision, config, split };
}

/** @throws NibbleError `invalid_argument` for text that does not name a split of a data set */
export function dataSetReference(text: string): HubReference {
  const { repository, revision = CONVERTED, ...wanted } = readName(text);
  const select = (files: readonly RepositoryFile[], card: Json | undefined): readonly RepositoryFile[] => {
    const chosen = fromCard(files, card, wanted) ?? splitFiles(files, wanted, repository);
    if (chosen.length > 0) return chosen;
    throw new NibbleError("missing_file", `${repository}: expected ${describe(wanted)}, got ${listed(files)}`);
  };
  return { kind: "hub", id: text, repository, revision, quant: undefined, select };
}

/**
 * Fetches a split: from the branch that the hub converts to Parquet, else by the hub's list of converted files, else from
 * the main branch.
 * @throws NibbleError as `pull`
 */
export async function pullDataSet(
  reference: HubReference,
  cache: ModelCache,
  options: PullOptions,
): Promise<ModelRecord> {
  try {
    return await pull(reference, cache, options);
  } catch (error) {
    const elsewhere = reference.revision === CONVERTED && error instanceof NibbleError && error.code === "missing_file";
    if (!elsewhere) throw error;
    const urls = await convertedUrls(reference, options);
    if (urls.length > 0) return pull({ kind: "url", id: reference.id, urls }, cache, options);
    return pull({ ...reference, revision: "main" }, cache, options);
  }
}

/**
 * The files of a split by `/api/datasets/NAME/parquet`, where mirrors have the list and not the branch; none if the split
 * is not among them (https://huggingface.co/docs/dataset-viewer/parquet).
 */
async function convertedUrls({ id, repository }: HubReference, options: PullOptions): Promise<readonly URL[]> {
  const { config, split } = readName(id);
  const list = new URL(`${options.endpoint}/api/${repository}/parquet`);
  const limits = { expected: [200, 400, 401, 403, 404, 501], maxBytes: MAX_LIST_BYTES };
  const { answer, body } = await get(list, {}, { ...options, ...limits });
  if (answer.status !== 200) return [];
  const configs = parseJsonObject(body, { name: list.href });
  const only = configs.size === 1 ? [...configs.values()][0] : undefined;
  const splits = configs.get(config ?? "default") ?? (config === undefined ? only : undefined);
  const files = isObject(splits) ? splits.get(split) : undefined;
  const urls = Array.isArray(files) ? (files as readonly Json[]).filter((url) => typeof url === "string") : [];
  return urls.filter((url) => /^https?:/.test(url) && URL.canParse(url)).map((url) => new URL(url));
}

function describe({ config, split }: Split): string {
  return `the split ${split}${config === undefined ? "" : ` of ${config}`} as Parquet or JSON Lines`;
}

function listed(files: readonly RepositoryFile[]): string {
  const paths = dataFiles(files).map(({ path }) => path);
  return paths.length === 0 ? "no such files" : `${paths.slice(0, 20).join(", ")}${paths.length > 20 ? ", ..." : ""}`;
}

/**
 * The files that the `configs` of the README's metadata name for a split; undefined where it names none
 * (https://huggingface.co/docs/hub/datasets-manual-configuration).
 */
function fromCard(
  files: readonly RepositoryFile[],
  card: Json | undefined,
  { config = "default", split }: Split,
): readonly RepositoryFile[] | undefined {
  const configs = isObject(card) ? card.get("configs") : undefined;
  const all = Array.isArray(configs) ? (configs as readonly Json[]).filter(isObject) : [];
  const own =
    all.find((one) => one.get("config_name") === config) ??
    (all.length === 1 && config === "default" ? all[0] : undefined);
  const entries = own?.get("data_files");
  const splits = Array.isArray(entries) ? (entries as readonly Json[]).filter(isObject) : [];
  const paths = splits.find((one) => one.get("split") === split)?.get("path");
  const patterns = (Array.isArray(paths) ? paths : [paths]).filter((one) => typeof one === "string");
  const found = patterns.flatMap((pattern) => files.filter(({ path }) => globOf(pattern).test(path)));
  return found.length > 0 ? dataFiles([...new Set(found)]) : undefined;
}

/** A pattern of paths, in which `*` stands for a part of a name, and `**` for folders too. */
function globOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/?|\*|\?)/).map((part) => {
    if (part.startsWith("**")) return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : part.replace(/[^\w/-]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}
