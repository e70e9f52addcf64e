/**
 * The cache in which Node, Deno and Bun keep pulled models, and the settings of the hub in the environment.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ModelCache } from "../../hub/cache.ts";
import type { HubSettings } from "../../hub/hub.ts";
import { directoryCache } from "./cache.ts";

export interface NodeHub {
  readonly cache: ModelCache;
  /** The directory of the cache. */
  readonly directory: string;
  readonly settings: HubSettings;
}

/**
 * The cache and the settings by NIBBLE_CACHE, NIBBLE_OFFLINE (or HF_HUB_OFFLINE), HF_ENDPOINT, HF_TOKEN and PIP_INDEX_URL.
 * The environment is read at each call.
 * @throws NibbleError `invalid_argument` for an HF_ENDPOINT that is not a URL
 */
export async function nodeHub(): Promise<NodeHub> {
  const { env } = await import("node:process");
  const directory = await cacheDirectory(env);
  const endpoint = (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint))
    throw new NibbleError("invalid_argument", `HF_ENDPOINT: expected an http or https URL, got ${endpoint}`);
  const settings: HubSettings = {
    endpoint,
    tokenOrigin: new URL(endpoint).origin,
    ...(env.HF_TOKEN && { token: env.HF_TOKEN }),
    ...(env.PIP_INDEX_URL && usable(env.PIP_INDEX_URL) && { index: env.PIP_INDEX_URL.replace(/\/+$/, "") }),
    offline: isOn(env.NIBBLE_OFFLINE) || isOn(env.HF_HUB_OFFLINE),
  };
  return { cache: await directoryCache(directory), directory, settings };
}

/** Whether `fetch` accepts the URL of an index. It refuses one with a user or a password. */
function usable(index: string): boolean {
  return URL.canParse(index) && /^https?:\/\/[^@]*$/.test(index);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
}

/** NIBBLE_CACHE, else the cache directory of the XDG base directory specification, or of macOS or Windows. */
async function cacheDirectory(env: NodeJS.ProcessEnv): Promise<string> {
  const { platform, homedir } = await import("node:os");
  const { join, resolve } = await import("node:path");
  if (env.NIBBLE_CACHE) return resolve(env.NIBBLE_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), "nibble");
  if (platform() === "darwin") return join(homedir(), "Library", "Caches", "nibble");
  if (platform() === "win32") return join(env.LOCALAPPDATA || join(homedir(), "AppData", "Local"), "nibble", "Cache");
  return join(homedir(), ".cache", "nibble");
}
