/**
 * Servers that a command asks in place of a model of its own: their flags, and the pool of them.
 * @module
 */
import { ServerPool } from "../../batch/pool.ts";
import { batchServer } from "../../batch/server.ts";
import { patientFetch } from "../../hosts/node/patient-fetch.ts";
import { conflict, type Flag, number, repeated, requires, text, UsageError } from "../flags.ts";
import { readText } from "../input.ts";
import { note } from "../output.ts";

export interface ServerFlags {
  readonly [name: string]: Flag<unknown>;
  readonly urls: Flag<string[]>;
  readonly apiKey: Flag<string>;
  readonly apiKeyFile: Flag<string>;
  readonly wait: Flag<number>;
}

const isUrl = (value: string): boolean => /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);

export const serverFlags: ServerFlags = {
  urls: repeated<string>({
    names: "--url",
    placeholder: "URL...",
    expected: "an address such as http://127.0.0.1:8080, with or without /v1",
    help: "ask this OpenAI-compatible server instead of a model here; several share the work",
    read: (value) => (isUrl(value) ? value : undefined),
  }),
  apiKey: text("--api-key", "KEY", "the key for the servers (default: OPENAI_API_KEY of the environment)"),
  apiKeyFile: text("--api-key-file", "FILE", "a file with that key (flags are visible to other users of this machine)"),
  wait: number(
    "--wait",
    "SECONDS",
    { min: 0 },
    "how long to go on while no server answers (default 60); a later run goes on where this one ended",
  ),
};

export interface GivenServers {
  readonly urls?: readonly string[] | undefined;
  readonly apiKey?: string | undefined;
  readonly apiKeyFile?: string | undefined;
  readonly wait?: number | undefined;
  readonly model?: string | undefined;
  readonly parallel?: number | undefined;
}

/**
 * Takes the addresses out of the arguments: `--url A B` names two servers.
 * @returns the servers, none where a model of this machine computes; and the other arguments
 * @throws UsageError where both a model and servers are named
 */
export function splitUrls(positionals: readonly string[], given: GivenServers): { urls: string[]; rest: string[] } {
  const more = positionals.filter(isUrl);
  const urls = [...new Set([...(given.urls ?? []), ...more])];
  if (given.urls === undefined) {
    if (more[0] !== undefined) throw requires(more[0], "--url", "an address is no file and no task");
    for (const [name, value] of [
      ["--api-key", given.apiKey],
      ["--api-key-file", given.apiKeyFile],
      ["--wait", given.wait],
    ] as const)
      if (value !== undefined) throw requires(name, "--url", "a model of this machine needs none");
  } else if (given.model !== undefined) throw conflict("-m", "--url", "each says who computes");
  return { urls, rest: positionals.filter((one) => !isUrl(one)) };
}

/** The pool of the servers, which must be closed. @throws UsageError, NibbleError `missing_file` for a wrong file of a key */
export async function openPool(urls: readonly string[], given: GivenServers): Promise<ServerPool> {
  const { wait, parallel } = given;
  const apiKey = await readKey(given);
  const servers = urls.map((url) => batchServer({ url, apiKey, fetch: patientFetch }));
  return new ServerPool(servers, {
    maxInFlight: parallel,
    waitMs: wait === undefined ? undefined : 1000 * wait,
    onNote: (line) => note(`nibble: ${line}`),
  });
}

async function readKey({ apiKey, apiKeyFile }: GivenServers): Promise<string | undefined> {
  if (apiKey !== undefined && apiKeyFile !== undefined)
    throw conflict("--api-key", "--api-key-file", "both give the key");
  if (apiKeyFile === undefined) return apiKey ?? process.env.OPENAI_API_KEY;
  const key = (await readText(apiKeyFile)).trim();
  if (key === "" || /\s/.test(key)) throw new UsageError(`--api-key-file ${apiKeyFile}: expected one key`);
  return key;
}
