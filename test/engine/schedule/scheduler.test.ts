import { describe, expect, it } from "vitest";
import { NibbleError } from "../../../src/base/errors.ts";
import { PrefixCache } from "../../../src/engine/schedule/prefix-cache.ts";
import { Scheduler } from "../../../src/engine/schedule/scheduler.ts";
import { FakeExecutor, type FakeOptions } from "../../helpers/fake-executor.ts";
import { alone, GreedyJob, manualTurns, prompt } from "./greedy-jobs.ts";

function setUp(options: FakeOptions = {}, chunkTokens?: number) {
  const executor = new FakeExecutor(options);
  const manual = manualTurns();
  const prefixes = new PrefixCache(executor);
  const scheduler = new Scheduler(executor, prefixes, { turns: manual.turns, chunkTokens });
  const pages = executor.freePages;
  const finish = async (limit = 5000) => {
    let steps = 0;
    while (await manual.step()) if (++steps > limit) throw new Error("the scheduler does not end");
    expect(prefixes.usedPages).toBe(0);
    prefixes.clear();
    expect(executor.freePages).toBe(pages);
    expect(executor.live.size).toBe(0);
    expect(scheduler.size).toBe(0);
    return steps;
  };
  return { executor, prefixes, scheduler, step: manual.step, finish };
}

describe("scheduler", () => {
  it("many requests get the tokens that each gets alone, for any chunk size and few pages", async () => {
    for (const chunk of [1, 7, 64]) {
      for (const pages of [64, 12]) {
        const { scheduler, finish, executor } = setUp({ pages, maxLogitRows: 3 }, chunk);
        const jobs = [3, 40, 1, 17, 25, 8].map((length, i) => new GreedyJob(prompt(length, i), 5 + 6 * i));
        for (const job of jobs) scheduler.add(job);
        await finish();
        for (const [i, job] of jobs.entries()) {
          expect(job.error).toBeUndefined();
          expect(job.answer).toEqual(alone(prompt(job.promptLength, i), job.count));
        }
        for (const batch of executor.batches) expect(batch.filter((rows) => rows > 1).length).toBeLessThanOrEqual(6);
      }
    }
  });

  it("answers go on while a long prompt is read in chunks", async () => {
    const { scheduler, executor, step, finish } = setUp({ maxBatchTokens: 64, contextLength: 512, pages: 128 }, 10);
    const short = new GreedyJob(prompt(4), 30);
    scheduler.add(short);
    await step();
    const long = new GreedyJob(prompt(100, 1), 2);
    scheduler.add(long);
    for (let i = 0; i < 10; i++) {
      await step();
      expect(executor.batches.at(-1)!.toSorted()).toEqual([1, 10]);
      expect(short.answer.length).toBe(i + 2);
    }
    expect(long.answer.length).toBe(1);
    await finish();
  });

  it("turns are fair: with fewer logit rows than answers, all advance", async () => {
    const { scheduler, step } = setUp({ maxLogitRows: 2 });
    const jobs = Array.from({ length: 5 }, (_, i) => new GreedyJob(prompt(2, i), 100));
    for (const job of jobs) scheduler.add(job);
    for (let i = 0; i < 50; i++) await step();
    const lengths = jobs.map((job) => job.answer.length);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(5);
    expect(Math.min(...lengths)).toBeGreaterThan(15); // 50 steps of 2 rows for 5 answers: 20 each
    scheduler.failAll(new Error("end"));
  });

  it("an error of one request does not hurt another", async () => {
    const { scheduler, executor, finish } = setUp();
    const good = new GreedyJob(prompt(5), 20);
    const bad = new GreedyJob([...prompt(5, 1), 249], 20);
    const throws = new GreedyJob(prompt(5, 2), 20);
    throws.onAccept = (job) => {
      if (job.answer.length === 4) throw new NibbleError("non_finite_logits", "test");
    };
    executor.onForward = (batch) => {
      if (
        batch.some(({ sequence }) => sequence.length >= 9) &&
        batch.some(({ tokens }) => tokens[0] === bad.tokens[9])
      ) {
        throw new Error("bad row");
      }
    };
    for (const job of [good, bad, throws]) scheduler.add(job);
    await finish();
    expect(good.answer).toEqual(alone(prompt(5), 20));
    expect(String(bad.error)).toContain("bad row");
    expect(throws.error).toMatchObject({ code: "non_finite_logits" });
    expect(throws.answer.length).toBe(4);
  });

  it("a poisoned runtime ends all requests", async () => {
    const { scheduler, executor, finish } = setUp();
    const jobs = [1, 2, 3].map((i) => new GreedyJob(prompt(i), 20));
    for (const job of jobs) scheduler.add(job);
    executor.onForward = () => {
      if (executor.batches.length === 3) throw new NibbleError("poisoned", "trap");
    };
    await finish();
    for (const job of jobs) expect(job.error).toMatchObject({ code: "poisoned" });
  });

  it("removed at any step, a request gives its pages back and leaves the others alone", async () => {
    for (let at = 0; at < 40; at++) {
      const { scheduler, step, finish } = setUp({ pages: 14 }, 6);
      const jobs = [20, 3, 30].map((length, i) => new GreedyJob(prompt(length, i), 12));
      for (const job of jobs) scheduler.add(job);
      for (let i = 0; i < at; i++) await step();
      const victim = jobs[at % 3]!;
      const before = victim.answer.length;
      scheduler.remove(victim);
      await finish();
      expect(victim.answer.length).toBe(before);
      for (const [i, job] of jobs.entries()) {
        if (job !== victim) expect(job.answer).toEqual(alone(prompt(job.promptLength, i), 12));
      }
    }
  });

  it("a request whose reader is behind waits, and is evicted when pages are short", async () => {
    const { scheduler, step, finish, prefixes } = setUp({ pages: 6 });
    const slow = new GreedyJob(prompt(20), 10); // 3 of 6 pages
    slow.onAccept = (job) => {
      job.ready = job.answer.length !== 3;
    };
    scheduler.add(slow);
    for (let i = 0; i < 10; i++) await step();
    expect(slow.answer.length).toBe(3);
    const other = new GreedyJob(prompt(30, 1), 10); // 5 pages
    scheduler.add(other);
    for (let i = 0; i < 30; i++) await step();
    expect(other.answer).toEqual(alone(prompt(30, 1), 10));
    expect(prefixes.usedPages).toBe(0);
    slow.ready = true;
    scheduler.wake(slow);
    await finish();
    expect(slow.answer).toEqual(alone(prompt(20), 10));
  });

  it("pages held elsewhere: a clear error, and the rest goes on", async () => {
    const { scheduler, executor, step } = setUp({ pages: 4 });
    const held = executor.createSequence();
    executor.forward([{ sequence: held, tokens: prompt(17), logits: "none" }]); // 3 of 4 pages
    const big = new GreedyJob(prompt(20), 4);
    const small = new GreedyJob(prompt(3, 1), 4);
    scheduler.add(big);
    scheduler.add(small);
    for (let i = 0; i < 50; i++) await step();
    expect(big.error).toMatchObject({ code: "context_full", message: expect.stringMatching(/8 tokens.* 20/s) });
    expect(small.answer).toEqual(alone(prompt(3, 1), 4));
    held.dispose();
    expect(executor.freePages).toBe(4);
  });
});

describe("a fixed number of sequences", () => {
  it("more requests than sequences: they wait and get the same tokens", async () => {
    const { scheduler, finish } = setUp({ maxSequences: 2 });
    const jobs = Array.from({ length: 7 }, (_, i) => new GreedyJob(prompt(3 + i, i), 6));
    for (const job of jobs) scheduler.add(job);
    await finish();
    for (const [i, job] of jobs.entries()) expect(job.answer).toEqual(alone(prompt(3 + i, i), 6));
  });

  it("a paused request gives up its sequence; sequences that sessions hold are an error", async () => {
    const { scheduler, executor, prefixes, step, finish } = setUp({ maxSequences: 1 });
    const slow = new GreedyJob(prompt(4), 6);
    slow.onAccept = (job) => {
      job.ready = job.answer.length !== 2;
    };
    scheduler.add(slow);
    for (let i = 0; i < 5; i++) await step();
    const other = new GreedyJob(prompt(5, 1), 6);
    scheduler.add(other);
    for (let i = 0; i < 10; i++) await step();
    expect(other.answer).toEqual(alone(prompt(5, 1), 6));
    prefixes.clear();
    const held = executor.createSequence();
    slow.ready = true;
    scheduler.wake(slow);
    for (let i = 0; i < 5; i++) await step();
    expect(slow.error).toMatchObject({ code: "context_full" });
    held.dispose();
    await finish();
  });
});
