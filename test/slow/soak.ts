/**
 * A server under a mixed load of clients of every kind, a tenth of them hostile, and what is measured meanwhile: memory,
 * open files, the time to a first token and tokens per second.
 * @module
 */
import { connect } from "node:net";
import { expect } from "vitest";
import { cli, Running } from "../cli/helpers.ts";
import { fuzzedBody, randomNumbers } from "../server/bodies.ts";
import { gauge } from "../server/crowd.ts";
import { messages, postJson, QUESTION, until } from "../server/helpers.ts";
import { processFacts } from "./process-facts.ts";

export interface SoakOptions {
  readonly seconds: number;
  readonly clients: number;
}

/** Figures of a part of the time. Times are in milliseconds. */
interface Span {
  readonly MiB: number;
  readonly files: number;
  readonly firstTokenP50: number;
  readonly firstTokenP99: number;
  readonly tokensPerSecond: number;
}

export interface SoakResult {
  readonly requests: number;
  readonly hostile: number;
  /** The second tenth of the time, when all is warm, and the last tenth. */
  readonly beginning: Span;
  readonly end: Span;
  /** Medians of resident memory around the middle and over the last fifth. */
  readonly middleMiB: number;
  readonly lastMiB: number;
}

export interface SoakServer {
  readonly url: string;
  readonly pid: number;
  stop(): void;
}

/** The heap is limited to 40 MiB: without a limit V8 lets it grow before it collects garbage, which hides leaks. */
export async function startSoakServer(): Promise<SoakServer> {
  const heap = ["--max-old-space-size=40", "--max-semi-space-size=2"];
  const server = new Running(process.execPath, [...heap, cli, "serve", "--port", "0", "--json", "-t", "1"]);
  const end = await server.until("\n");
  const { url } = JSON.parse(server.stdout.slice(0, end));
  return { url, pid: server.child.pid!, stop: () => void server.child.kill("SIGKILL") };
}

export const quantile = (list: readonly number[], part: number): number =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(part * list.length))] ?? 0;

type Client = (url: string, i: number) => Promise<unknown>;

/** A full queue is an answer too: such a client has nothing to check. */
async function answered(response: Response): Promise<void> {
  const text = await response.text();
  if (response.status !== 429) expect(response.status, text).toBe(200);
}

const GOOD: readonly Client[] = [
  async (url, i) => {
    const body = { messages: [{ role: "user", content: `${i} ${QUESTION}` }], max_tokens: 24, stream: i % 2 === 0 };
    await answered(await postJson(`${url}/v1/chat/completions`, body));
  },
  async (url, i) => {
    const body = { prompt: `${i} ${"word ".repeat(i % 100)}`, max_tokens: 8, n: 1 + (i % 4), logprobs: 3 };
    await answered(await postJson(`${url}/v1/completions`, body));
  },
  async (url, i) => {
    const tools = [{ name: "f", input_schema: { type: "object" } }];
    await answered(await postJson(`${url}/v1/messages`, { messages, max_tokens: 16, stream: i % 2 === 0, tools }));
  },
  async (url, i) => {
    const schema = { type: "object", properties: { [`key${i % 500}`]: { type: "integer" } } };
    const text = { format: { type: "json_schema", name: "a", schema } };
    await answered(await postJson(`${url}/v1/responses`, { input: QUESTION, max_output_tokens: 16, text }));
  },
  async (url, i) => answered(await postJson(`${url}/v1/embeddings`, { input: [QUESTION, `${i}`] })),
  async (url, i) => answered(await postJson(`${url}/tokenize`, { content: `${i} ${QUESTION}` })),
  async (url) => answered(await postJson(`${url}/api/chat`, { model: "crumb", messages, options: { num_predict: 8 } })),
  async (url, i) => {
    const body = { prompt: QUESTION, stream: true, ignore_eos: true, n: 2 };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), i % 50);
    await postJson(`${url}/v1/completions`, body, { signal: controller.signal })
      .then((response) => response.text())
      .catch(() => {});
  },
  async (url) => (await fetch(`${url}/metrics`)).text(),
];

/** Sends bytes, waits a little and leaves without a word. */
function rude(url: string, bytes: string, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {}).on("close", () => resolve());
    socket.write(bytes);
    socket.pause();
    setTimeout(() => socket.destroy(), ms);
  });
}

const head = (length: number): string =>
  `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
const endless = JSON.stringify({ prompt: QUESTION, ignore_eos: true, stream: true, n: 8 });
const random = randomNumbers(7);

const HOSTILE: readonly Client[] = [
  (url) => rude(url, "\u0000\u0001 nonsense\r\n\r\n", 20),
  (url) => rude(url, head(1000), 500),
  (url) => rude(url, (head(endless.length) + endless).repeat(8), 100),
  (url) => rude(url, head(endless.length) + endless, 1000),
  async (url) => {
    const { path, body } = fuzzedBody(random);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 2000);
    const response = await postJson(`${url}${path}`, body, { signal: controller.signal }).catch(() => undefined);
    if (response) expect(response.status).not.toBe(500);
    await response?.text().catch(() => {});
    clearTimeout(timer);
  },
  async (url) => {
    const response = await postJson(`${url}/v1/completions`, `{"prompt":[${"{},".repeat(200_000)}{}]}`).catch(
      () => undefined,
    );
    if (response) expect([400, 413, 429]).toContain(response.status);
  },
];

/** The time to the first event of a stream of a fixed question, beside all others. */
async function firstToken(url: string): Promise<number | undefined> {
  const begin = performance.now();
  const body = { messages, stream: true, max_tokens: 2, temperature: 0 };
  const response = await postJson(`${url}/v1/chat/completions`, body);
  if (response.status !== 200) return void (await response.text());
  const reader = response.body!.getReader();
  await reader.read();
  const ms = performance.now() - begin;
  while (!(await reader.read()).done);
  return ms;
}

/** Clients that measure the time to a first token, and try again where the queue is full. */
const PROBES = 4;

interface Sample {
  readonly at: number;
  readonly bytes: number;
  readonly files: number;
  readonly tokens: number;
  /** Times to a first token since the sample before. */
  readonly firstTokens: readonly number[];
}

/** @throws where a good client gets another answer than 200 or 429, or a page, slot or socket stays in use at the end */
export async function soak({ url, pid }: SoakServer, { seconds, clients }: SoakOptions): Promise<SoakResult> {
  const begin = performance.now();
  const elapsed = (): number => (performance.now() - begin) / 1000;
  let [requests, hostile] = [0, 0];
  const client = async (_: unknown, place: number): Promise<void> => {
    const kinds = place % 10 === 9 ? HOSTILE : GOOD;
    while (elapsed() < seconds) {
      const i = requests++;
      if (kinds === HOSTILE) hostile++;
      await kinds[i % kinds.length]!(url, i);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  const samples: Sample[] = [];
  let firstTokens: number[] = [];
  const probe = async (): Promise<void> => {
    while (elapsed() < seconds) {
      const ms = await firstToken(url);
      if (ms === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
      else firstTokens.push(ms);
    }
  };
  const watch = async (): Promise<void> => {
    while (elapsed() < seconds) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const facts = processFacts(pid);
      const tokens = await gauge(url, "completion_tokens_total");
      if (!facts) continue;
      samples.push({ at: elapsed(), bytes: facts.bytes, files: facts.files, tokens, firstTokens });
      firstTokens = [];
    }
  };
  await Promise.all([all, watch(), ...Array.from({ length: PROBES }, probe)]);
  await until(async () => (await gauge(url, "requests_running")) === 0);
  for (const name of ["slots_busy", "requests_queued", "kv_pages_used"]) expect(await gauge(url, name)).toBe(0);
  const part = (from: number, to: number) => samples.slice(from * samples.length, Math.max(1, to * samples.length));
  const MiB = (list: readonly Sample[]): number =>
    Math.round(
      quantile(
        list.map(({ bytes }) => bytes),
        0.5,
      ) /
        2 ** 20,
    );
  return {
    requests,
    hostile,
    beginning: spanOf(part(0.1, 0.3)),
    end: spanOf(part(0.8, 1)),
    middleMiB: MiB(part(0.4, 0.6)),
    lastMiB: MiB(part(0.8, 1)),
  };
}

function spanOf(samples: readonly Sample[]): Span {
  const times = samples.flatMap(({ firstTokens }) => firstTokens);
  const [first, last] = [samples[0], samples.at(-1)];
  const time = first && last ? last.at - first.at : 0;
  return {
    MiB: Math.round(
      quantile(
        samples.map(({ bytes }) => bytes),
        0.5,
      ) /
        2 ** 20,
    ),
    files: quantile(
      samples.map(({ files }) => files),
      0.5,
    ),
    firstTokenP50: Math.round(quantile(times, 0.5)),
    firstTokenP99: Math.round(quantile(times, 0.99)),
    tokensPerSecond: time > 0 ? Math.round((last!.tokens - first!.tokens) / time) : 0,
  };
}
