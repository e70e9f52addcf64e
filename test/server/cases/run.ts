/** Sends the cases of server.jsonl and clients.jsonl to `nibble serve`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { cli, Running } from "../../cli/helpers.ts";
import { type Answer, type Expected, fault, placeOf } from "./check.ts";

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly expect: Expected;
}

export interface Case extends Request {
  readonly id: string;
  readonly why: string;
  readonly model?: string;
  readonly serve?: readonly string[];
  readonly then?: readonly Request[];
  readonly same?: readonly (readonly [string, string])[];
}

/** The cases of a model, by the flags of their servers. */
export function casesOf(model: string): Map<string, Case[]> {
  const lines = ["server.jsonl", "clients.jsonl"].flatMap((file) =>
    readFileSync(fileURLToPath(new URL(file, import.meta.url)), "utf8")
      .trimEnd()
      .split("\n"),
  );
  const groups = new Map<string, Case[]>();
  for (const one of lines.map((line): Case => JSON.parse(line))) {
    if ((one.model ?? "crumb") !== model) continue;
    const flags = (one.serve ?? []).join(" ");
    groups.set(flags, [...(groups.get(flags) ?? []), one]);
  }
  return groups;
}

/** Starts a server. @param source the model's file, or crumb */
export async function startServe(
  source: string,
  flags: string,
): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const more = flags === "" ? [] : flags.split(" ");
  const running = new Running(process.execPath, [cli, "serve", source, "--port", "0", "--json", "--offline", ...more]);
  const end = await running.until("\n");
  const { url } = JSON.parse(running.stdout.slice(0, end));
  const stop = (): Promise<unknown> => {
    running.child.kill("SIGTERM");
    return running.result();
  };
  return { url, stop };
}

/** Sends the requests of a case. @returns what is wrong, or undefined */
export async function runCase(url: string, one: Case): Promise<string | undefined> {
  const answers: Answer[] = [];
  for (const request of [one, ...(one.then ?? [])]) {
    answers.push(await ask(url, request));
    const wrong = fault(answers.at(-1)!, request.expect ?? {});
    if (wrong) return `request ${answers.length}: ${wrong}`;
  }
  const at = (place: string): unknown => {
    const [, number, path] = /^(\d+):(.*)$/.exec(place)!;
    return placeOf(answers[Number(number)]!.json, path!);
  };
  const different = one.same?.find(([a, b]) => at(a) === undefined || !isDeepStrictEqual(at(a), at(b)));
  return different && `${different.join(" and ")} differ: ${JSON.stringify(different.map(at))}`;
}

async function ask(url: string, { method = "POST", path, headers, body }: Request): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url + path, {
    method,
    headers: { ...(text !== undefined && { "content-type": "application/json" }), ...headers },
    ...(text !== undefined && { body: text }),
  });
  const received = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, headers: response.headers, text: received, json: parse(received, type) };
}

function parse(text: string, type: string): unknown {
  if (type.includes("text/event-stream")) return events(text);
  if (!type.includes("json")) return undefined;
  if (!type.includes("ndjson")) return JSON.parse(text);
  return {
    events: text
      .trimEnd()
      .split("\n")
      .map((line) => ({ data: JSON.parse(line) })),
  };
}

function events(text: string): { events: object[]; done: boolean } {
  const blocks = text.trimEnd().split("\n\n");
  const parsed = blocks.map((block) => ({
    event: /^event: (.*)$/m.exec(block)?.[1],
    data: /^data: (.*)$/m.exec(block)![1]!,
  }));
  const done = parsed.some(({ data }) => data === "[DONE]");
  const rest = parsed.filter(({ data }) => data !== "[DONE]");
  return { events: rest.map(({ event, data }) => ({ event, data: JSON.parse(data) })), done };
}
