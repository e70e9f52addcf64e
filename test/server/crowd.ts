/** Clients of every kind at once: those that behave, slow ones, those that leave, and those that send no HTTP. */
import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { messages, postJson, QUESTION } from "./helpers.ts";

export interface Crowd {
  readonly normal: number;
  /** Clients that ask for long answers and read nothing, or one byte per second. */
  readonly slowReaders: number;
  /** Answers (`n`) per request of a slow reader: eight are more than the buffers of a connection hold. */
  readonly choices: number;
  readonly leaving: number;
  /** Clients that send a header byte by byte and never end it. */
  readonly slowSenders: number;
  readonly garbage: number;
  /** Milliseconds until a refused client tries again. */
  readonly retryMs: number;
}

const SEEDS = 7;
const request = (i: number) => ({ messages, seed: i % SEEDS, max_tokens: 24 });
const stream = { prompt: QUESTION, ignore_eos: true, stream: true, logprobs: 20 };

/** The answers to the crowd's questions, asked one after the other. */
export async function expectedAnswers(url: string): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let i = 0; i < SEEDS; i++) {
    const response = await postJson(`${url}/v1/chat/completions`, request(i));
    answers.push((await response.json()).choices);
  }
  return answers;
}

/**
 * Starts all clients at once. Normal ones must get the right answer, at once or after a 429 with Retry-After.
 * @returns milliseconds that each refusal took, shortest first, and what closes the connections of slow clients
 */
export async function crowd(
  url: string,
  { normal, slowReaders, choices, leaving, slowSenders, garbage, retryMs }: Crowd,
) {
  const expected = await expectedAnswers(url);
  const sockets: Socket[] = [];
  const open = (text: string): Socket => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write(text);
    sockets.push(socket);
    return socket;
  };
  const head = (length: number) =>
    `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  const refusals: number[] = [];

  const clients: (() => unknown)[] = [
    ...Array.from({ length: normal }, (_, i) => async () => {
      for (;;) {
        const start = performance.now();
        const response = await postJson(`${url}/v1/chat/completions`, request(i));
        const took = performance.now() - start;
        const body = await response.json();
        if (response.status === 200) return expect(body.choices).toEqual(expected[i % SEEDS]);
        refusals.push(took);
        expect([response.status, body.error.code]).toEqual([429, "overloaded"]);
        expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }),
    ...Array.from({ length: slowReaders }, (_, i) => () => {
      const body = JSON.stringify({ ...stream, n: choices });
      const socket = open(head(body.length) + body).pause();
      if (i % 2 === 0) return;
      const timer = setInterval(() => socket.read(1), 1000);
      socket.on("close", () => clearInterval(timer));
    }),
    ...Array.from({ length: leaving }, (_, i) => async () => {
      const controller = new AbortController();
      const response = postJson(
        `${url}/v1/completions`,
        { ...stream, stream: i % 2 === 0 },
        { signal: controller.signal },
      );
      setTimeout(() => controller.abort(), (i * 7) % 100);
      await response.then((one) => one.text()).catch(() => {});
    }),
    ...Array.from({ length: slowSenders }, (_, i) => () => {
      const text = i % 2 === 0 ? "POST /v1/completions HTTP/1.1\r\nhost: a\r\nx: " : `${head(1000)}{"prompt":`;
      const socket = open(text);
      const timer = setInterval(() => socket.write("a"), 50);
      socket.on("close", () => clearInterval(timer));
    }),
    ...Array.from({ length: garbage }, (_, i) => () => {
      const texts = [
        "\u0000\u0001\u0002\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        `GET /${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`,
      ];
      open(texts[i % texts.length]!).resume();
    }),
  ];
  // The kinds of clients are interleaved.
  const total = clients.length;
  const order = clients.map((client, i) => ({ client, at: (i * 7919) % total })).sort((a, b) => a.at - b.at);
  await Promise.all(order.map(({ client }) => client()));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { refusals: refusals.sort((a, b) => a - b), close };
}

/** The value of one metric of /metrics. */
export async function gauge(url: string, name: string, headers: Record<string, string> = {}): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(new RegExp(`^nibble_${name} (\\d+)$`, "m").exec(text)![1]);
}
