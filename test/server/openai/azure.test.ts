/** OpenAI's paths as Azure has them, with Azure's client. */
import { AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../../src/engine/model.ts";
import { createHandler, type Handler } from "../../../src/server/handler.ts";
import { answering } from "../../engine/answering.ts";
import { askHandler, loadCrumb, messages, postHandler } from "../helpers.ts";

let crumb: Model;
let handler: Handler;
const other = answering("other", { name: "my other" }).model;
beforeAll(async () => {
  crumb = await loadCrumb();
  handler = createHandler([crumb, other], { apiKeys: ["secret"] });
});
afterAll(() => crumb.dispose());
const key = { "api-key": "secret" };
const VERSION = "api-version=2024-10-21";

describe("Azure", () => {
  it("its client: a deployment, whole and streamed, and the key of its header", async () => {
    const fetch = (url: string | URL | Request, init?: RequestInit) => handler(new Request(url, init));
    const client = (apiKey: string) =>
      new AzureOpenAI({ endpoint: "http://localhost", apiVersion: "2024-10-21", apiKey, maxRetries: 0, fetch });
    const request = { model: "crumb", messages: [...messages], max_tokens: 4, temperature: 0 };
    const whole = await client("secret").chat.completions.create(request);
    expect(whole.usage?.completion_tokens).toBe(4);
    let chunks = 0;
    for await (const _ of await client("secret").chat.completions.create({ ...request, stream: true })) chunks++;
    expect(chunks).toBeGreaterThan(1);
    await expect(client("wrong").chat.completions.create(request)).rejects.toMatchObject({ status: 401 });
  });

  it("the deployment names the model, whatever the body says", async () => {
    const path = `/openai/deployments/my%20other/chat/completions?${VERSION}`;
    const { json } = await postHandler(handler, path, { model: "crumb", messages }, key);
    expect(json()).toMatchObject({ model: "my other", choices: [{ message: { content: "other" } }] });
    const text = await postHandler(handler, `/openai/deployments/crumb/completions?${VERSION}`, { prompt: "a", max_tokens: 1 }, key); // biome-ignore format: one line
    expect(text.json()).toMatchObject({ object: "text_completion", model: "crumb" });
    const none = await postHandler(handler, `/openai/deployments/none/chat/completions?${VERSION}`, { messages }, key);
    expect(none.status).toBe(404);
  });

  it("/openai/v1, and paths without a deployment", async () => {
    for (const path of ["/openai/v1/models", `/openai/models?${VERSION}`]) {
      const { status, json } = await askHandler(handler, path, { headers: key });
      expect([status, json().data.map(({ id }: { id: string }) => id)]).toEqual([200, ["crumb", "my other"]]);
    }
    const body = { model: "my other", messages };
    expect((await postHandler(handler, "/openai/v1/chat/completions", body, key)).json()).toMatchObject({
      model: "my other",
    });
    for (const path of ["/openai/v1/nothing", "/openai/deployments/crumb", "/openai", "/openai/deployments//x"])
      expect((await askHandler(handler, path, { headers: key })).status).toBe(404);
    expect((await askHandler(handler, "/openai/v1/models")).status).toBe(401);
  });
});
