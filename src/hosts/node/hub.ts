/**
 * Where Node, Deno and Bun keep pulled models, and what the environment says about the hub.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { ModelCache } from "../../hub/cache.ts";
import type { HubSettings } from "../../hub/hub.ts";
import { directoryCache } from "./cache.ts";

export interface NodeHub {
  readonly cache: ModelCache;
  /** The cache's directory. */
  readonly directory: string;
  readonly settings: HubSettings;
}

/**
 * NIBBLE_CACHE, NIBBLE_OFFLINE, HF_ENDPOINT, HF_TOKEN, PIP_INDEX_URL; read when it is called.
 * @throws NibbleError `invalid_argument` for an endpoint that is no URL
 */
export async function nodeHub(): Promise<NodeHub> {
  const { env } = await import("node:process");
  const directory = await cacheDirectory(env);
  const endpoint = (env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint))
    throw new NibbleError("invalid_argument", `HF_ENDPOINT: expected an URL, got ${endpoint}`);
  const settings: HubSettings = {
    endpoint,
    tokenOrigin: new URL(endpoint).origin,
    ...(env.HF_TOKEN && { token: env.HF_TOKEN }),
    ...(env.PIP_INDEX_URL && usable(env.PIP_INDEX_URL) && { index: env.PIP_INDEX_URL.replace(/\/+$/, "") }),
    offline: isOn(env.NIBBLE_OFFLINE) || isOn(env.HF_HUB_OFFLINE),
  };
  return { cache: await directoryCache(directory), directory, settings };
}

/** `fetch` takes no URL with a password. */
function usable(index: string): boolean {
  return URL.canParse(index) && /^https?:\/\/[^@]*$/.test(index);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "no", "off"].includes(value.toLowerCase());
}

/** The XDG base directory specification; elsewhere the platform's own. */
async function cacheDirectory(env: NodeJS.ProcessEnv): Promise<string> {
  const { platform, homedir } = await import("node:os");
  const { join, resolve } = await import("node:path");
  if (env.NIBBLE_CACHE) return resolve(env.NIBBLE_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), "nibble");
  if (platform() === "darwin") return join(homedir(), "Library", "Caches", "nibble");
  if (platform() === "win32") return join(env.LOCALAPPDATA || join(homedir(), "AppData", "Local"), "nibble", "Cache");
  return join(homedir(), ".cache", "nibble");
}
