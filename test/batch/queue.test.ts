/** `nibble-llm/batch`: what programs need that share requests out by a queue of their own. */
import { expect, it } from "vitest";
import { answerRequest, type PlacedRequest, readRequests, resultLine } from "../../src/entries/batch.ts";

const line = (custom_id: string, body: object = { prompt: custom_id }): string =>
  `${JSON.stringify({ custom_id, method: "POST", url: "/v1/completions", body })}\n`;

async function* chunksOf(text: string): AsyncGenerator<Uint8Array, undefined> {
  for (const part of text.match(/.{1,7}/gs) ?? []) yield new TextEncoder().encode(part);
}

async function read(text: string): Promise<PlacedRequest[]> {
  const requests: PlacedRequest[] = [];
  for await (const request of readRequests(chunksOf(text))) requests.push(request);
  return requests;
}

it("the place of a request is enough to read it alone", async () => {
  const text = `${line("a")}\n  \n${line("bé")}${line("c").trim()}`;
  const requests = await read(text);
  expect(requests.map(({ customId }) => customId)).toEqual(["a", "bé", "c"]);
  const bytes = new TextEncoder().encode(text);
  for (const request of requests) {
    const alone = new TextDecoder().decode(bytes.subarray(request.start, request.end));
    const [again] = await read(alone);
    expect(again).toEqual({ ...request, start: 0, end: request.end - request.start });
  }
});

it("the first wrong line is named, with OpenAI's code", async () => {
  await expect(read(`${line("a")}\n${line("a")}`)).rejects.toMatchObject({
    code: "bad_value",
    message: expect.stringMatching(/^line 3: duplicate_custom_id: custom_id/),
  });
  await expect(read("{}\n")).rejects.toThrow(/^line 1: missing_required_parameter: custom_id/);
});

it("a request reaches the handler with its seed, and the answer becomes a result line", async () => {
  const [request] = (await read(line("a"))) as [PlacedRequest];
  const outcome = await answerRequest(request, async (received) => {
    expect(received.url).toBe("http://localhost/v1/completions");
    return Response.json({ id: "x", created: 7, echo: await received.json() });
  });
  expect(JSON.parse(resultLine(request, outcome))).toMatchObject({
    custom_id: "a",
    response: { status_code: 200, body: { created: 0, echo: { prompt: "a", seed: expect.any(Number) } } },
    error: null,
  });
});

it("a status that another attempt may change is an error, and any other one is the answer", async () => {
  const [request] = (await read(line("a"))) as [PlacedRequest];
  const answer = (status: number) =>
    answerRequest(request, async () => Response.json({ error: { message: "why" } }, { status }));
  for (const status of [408, 409, 425, 429, 500, 502, 503, 504, 529])
    await expect(answer(status)).rejects.toMatchObject({ code: "bad_gateway", message: `status ${status}: why` });
  for (const status of [400, 404, 413, 422, 501, 505])
    expect(await answer(status)).toEqual({ status, body: { error: { message: "why" } } });
});

it("the signal ends the computation", async () => {
  const [request] = (await read(line("a"))) as [PlacedRequest];
  const reason = new Error("enough");
  const controller = new AbortController();
  const later = answerRequest(
    request,
    ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    controller.signal,
  );
  controller.abort(reason);
  await expect(later).rejects.toBe(reason);
});

it("a request that is aborted has no answer, whatever status its handler gives", async () => {
  const [request] = (await read(line("a"))) as [PlacedRequest];
  const controller = new AbortController();
  const answer = answerRequest(
    request,
    async () => {
      controller.abort(new Error("the worker ends"));
      return Response.json({}, { status: 499 });
    },
    controller.signal,
  );
  await expect(answer).rejects.toThrow("the worker ends");
});
