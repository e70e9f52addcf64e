/** Turns of the host between steps, and loops per request, whose host may drop the timers of one. */
import { describe, expect, it } from "vitest";
import { type HostTurns, hostTurns, messageTurns, timerTurns } from "../../../src/engine/schedule/host-turn.ts";
import { PrefixCache } from "../../../src/engine/schedule/prefix-cache.ts";
import { Scheduler } from "../../../src/engine/schedule/scheduler.ts";
import { FakeExecutor } from "../../helpers/fake-executor.ts";
import { alone, GreedyJob, manualTurns, prompt } from "./greedy-jobs.ts";

describe("host turns", () => {
  for (const [name, make] of Object.entries({ hostTurns, messageTurns, timerTurns })) {
    it(`${name}: other work gets its turn`, async () => {
      const turns = make();
      let timer = false;
      setTimeout(() => {
        timer = true;
      }, 0);
      for (let i = 0; i < 100_000 && !timer; i++) await turns.next();
      expect(timer).toBe(true);
      turns.close();
    });
  }

  it("hostTurns: work that leads to more work has further turns, but a bounded number", async () => {
    const turns = hostTurns();
    let served = 0;
    let immediate: NodeJS.Immediate;
    const serve = () => {
      const end = performance.now() + 0.2;
      while (performance.now() < end);
      served++;
      immediate = setImmediate(serve);
    };
    serve();
    let most = 0; // in one call; a busy machine may take the time of some
    for (let i = 0; i < 100 && most < 5; i++) {
      const before = served;
      await turns.next();
      most = Math.max(most, served - before);
    }
    clearImmediate(immediate!);
    expect(most).toBeGreaterThanOrEqual(5);
  });
});

describe("a loop for each request, as on Workers", () => {
  /** Loops in the order of their start, each with turns of its own. */
  function setUpLoops() {
    const loops: ReturnType<typeof manualTurns>[] = [];
    const turns = (): HostTurns => {
      loops.push(manualTurns());
      return loops.at(-1)!.turns();
    };
    const executor = new FakeExecutor();
    const scheduler = new Scheduler(executor, new PrefixCache(executor), { turns, loopPerRequest: true });
    return { scheduler, loops };
  }

  it("the request that came first disappears with its timers: the others get their answers", async () => {
    const { scheduler, loops } = setUpLoops();
    const gone = new GreedyJob(prompt(10), 20);
    const stays = new GreedyJob(prompt(12, 1), 20);
    scheduler.add(gone);
    scheduler.add(stays);
    expect(loops).toHaveLength(2);
    for (let i = 0; i < 3; i++) await loops[0]!.step();
    expect(gone.answer.length).toBeGreaterThan(0);
    while (await loops[1]!.step());
    expect(stays.answer).toEqual(alone(prompt(12, 1), 20));
    expect(scheduler.size).toBe(0); // its loop ran the steps of all requests
  });

  it("a loop ends with its answer, and begins anew where a reader has made room", async () => {
    const { scheduler, loops } = setUpLoops();
    const slow = new GreedyJob(prompt(10), 6);
    slow.onAccept = (job) => {
      job.ready = job.answer.length !== 3;
    };
    scheduler.add(slow);
    while (await loops[0]!.step());
    expect(slow.answer).toHaveLength(3);
    slow.ready = true;
    scheduler.wake(slow);
    scheduler.wake(slow);
    expect(loops).toHaveLength(2);
    while (await loops[1]!.step());
    expect(slow.answer).toEqual(alone(prompt(10), 6));
  });
});
