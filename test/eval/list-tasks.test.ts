/** The tasks that the playground offers. */
import { expect, it } from "vitest";
import { listTasks } from "../../src/eval/in-worker/list-tasks.ts";
import { TASKS } from "../../src/eval/registry.ts";

it("crumb's problems come first; tasks that run programs are left out, and no others", () => {
  const names = listTasks().map(({ name }) => name);
  expect(names[0]).toBe("crumb-problems");
  const programs = [...TASKS.values()].filter((task) => task.code_rule).map(({ task }) => task);
  expect(programs).toContain("humaneval");
  expect([...names, ...programs].sort()).toEqual([...TASKS.keys()].sort());
});
