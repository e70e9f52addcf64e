/**
 * The two consumers: one answers requests, the other notes those that have failed for good.
 *
 * A queue delivers a message at least once. A second delivery finds the answer in R2, or computes the same bytes and
 * leaves the first ones in place.
 * @module
 */
import { load } from "nibble-llm";
import { answerRequest, resultLine } from "nibble-llm/batch";
import crumb from "nibble-llm/crumb.gguf";
import { createHandler, type Handler } from "nibble-llm/server";
import type { Bucket, Env, Message, MessageBatch } from "./cloudflare.ts";
import { has, keepFirst, keepLast, readRequest, readText } from "./storage.ts";

/** Answers, or asks the queue to deliver the message again after 2, 4 and 8 seconds. */
export async function consumeRequests({ messages }: MessageBatch<Message>, env: Env): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      try {
        await answer(message.body, env);
        message.ack();
      } catch (error) {
        await keepLast(env.BUCKET, "attempts", message.body, (error as Error).message).catch(() => {});
        message.retry({ delaySeconds: 2 ** message.attempts });
      }
    }),
  );
}

async function answer(message: Message, env: Env): Promise<void> {
  if (await has(env.BUCKET, "answers", message)) return;
  const request = await readRequest(env.BUCKET, message);
  const line = resultLine(request, await answerRequest(request, await handlerOf(env)));
  await keepFirst(env.BUCKET, "answers", message, line);
}

/** One model per isolate, which all invocations share. */
let handler: Promise<Handler> | undefined;

function handlerOf(env: Env): Promise<Handler> {
  if (handler) return handler;
  handler = start(env);
  handler.catch(() => {
    handler = undefined; // the next message tries again
  });
  return handler;
}

async function start({ MODEL, BUCKET }: Env): Promise<Handler> {
  const source = MODEL ? await BUCKET.get(MODEL) : crumb;
  if (!source) throw new Error(`the bucket has no model ${MODEL}`);
  // Several deliveries may meet in one isolate, so more requests may wait than one delivery has.
  return createHandler(await load(source, { name: MODEL ?? "crumb" }), { slots: 8, queue: 1000 });
}

/** Notes the requests of the dead letter queue, with the error of their last attempt. */
export async function consumeFailures(
  { messages }: MessageBatch<Message>,
  { BUCKET }: { BUCKET: Bucket },
): Promise<void> {
  for (const { body, ack } of messages) {
    const why = await readText(BUCKET, "attempts", body);
    await keepLast(
      BUCKET,
      "failures",
      body,
      why ?? "the Worker ended in each attempt, which is what too little memory or time does",
    );
    ack();
  }
}
