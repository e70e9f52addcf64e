/**
 * The tasks that have a name, and groups of them.
 * @module
 */
import type { Task } from "./task.ts";
import aime from "./tasks/aime.json" with { type: "json" };
import aime24 from "./tasks/aime24.json" with { type: "json" };
import aime24R1 from "./tasks/aime24_r1.json" with { type: "json" };
import aime25 from "./tasks/aime25.json" with { type: "json" };
import aime25R1 from "./tasks/aime25_r1.json" with { type: "json" };
import arcChallenge from "./tasks/arc_challenge.json" with { type: "json" };
import arcEasy from "./tasks/arc_easy.json" with { type: "json" };
import boolq from "./tasks/boolq.json" with { type: "json" };
import crumbProblems from "./tasks/crumb_problems.json" with { type: "json" };
import gsm8k from "./tasks/gsm8k.json" with { type: "json" };
import gsm8kCot from "./tasks/gsm8k_cot.json" with { type: "json" };
import gsm8kCotZeroshot from "./tasks/gsm8k_cot_zeroshot.json" with { type: "json" };
import gsm8kR1 from "./tasks/gsm8k_r1.json" with { type: "json" };
import hellaswag from "./tasks/hellaswag.json" with { type: "json" };
import hendrycksMath500 from "./tasks/hendrycks_math500.json" with { type: "json" };
import humaneval from "./tasks/humaneval.json" with { type: "json" };
import humaneval64 from "./tasks/humaneval_64.json" with { type: "json" };
import humanevalInstruct from "./tasks/humaneval_instruct.json" with { type: "json" };
import livecodebench from "./tasks/livecodebench.json" with { type: "json" };
import math500R1 from "./tasks/math500_r1.json" with { type: "json" };
import mbpp from "./tasks/mbpp.json" with { type: "json" };
import mbppInstruct from "./tasks/mbpp_instruct.json" with { type: "json" };
import minervaMath500 from "./tasks/minerva_math500.json" with { type: "json" };
import mmlu from "./tasks/mmlu.json" with { type: "json" };
import openbookqa from "./tasks/openbookqa.json" with { type: "json" };
import piqa from "./tasks/piqa.json" with { type: "json" };
import socialIqa from "./tasks/social_iqa.json" with { type: "json" };
import winogrande from "./tasks/winogrande.json" with { type: "json" };

const ALL = [
  ...[arcEasy, arcChallenge, boolq, piqa, socialIqa, hellaswag, openbookqa, winogrande],
  ...[mmlu, gsm8k, gsm8kCot, gsm8kCotZeroshot, minervaMath500, hendrycksMath500, aime, aime24, aime25, crumbProblems],
  ...[gsm8kR1, math500R1, aime24R1, aime25R1],
  ...[humaneval, humanevalInstruct, humaneval64, mbpp, mbppInstruct, livecodebench],
] as readonly Task[];

export const TASKS: ReadonlyMap<string, Task> = new Map(ALL.map((task) => [task.task, task]));

/** Tasks that are run by one name. */
interface Group {
  /** Names of tasks, and of other groups. */
  readonly members: readonly string[];
  /** Whether the mean of the tasks' results is reported. */
  readonly mean?: boolean;
  /** Examples of a prompt, where they are not those of the task. */
  readonly shots?: Readonly<Record<string, number>>;
}

/** `r1-base` and `r1-final` are the tables of MobileLLM-R1's model card, each with its protocol. */
export const GROUPS: ReadonlyMap<string, Group> = new Map<string, Group>([
  [
    "commonsense",
    {
      members: ["arc_easy", "arc_challenge", "boolq", "piqa", "social_iqa", "hellaswag", "openbookqa", "winogrande"],
      mean: true,
    },
  ],
  ["math500", { members: ["minerva_math500", "hendrycks_math500", "math500_r1"] }],
  [
    "r1-base",
    { members: ["minerva_math500", "gsm8k_cot", "mbpp", "humaneval", "commonsense", "mmlu"], shots: { mmlu: 5 } },
  ],
  ["r1-final", { members: ["math500_r1", "gsm8k_r1", "aime24_r1", "aime25_r1", "livecodebench"] }],
]);

/** The tasks of a task's or a group's name; undefined if there is no such name. */
export function tasksOf(name: string): readonly Task[] | undefined {
  const task = TASKS.get(name);
  if (task) return [task];
  const { members, shots = {} } = GROUPS.get(name) ?? {};
  return members
    ?.flatMap((member) => tasksOf(member)!)
    .map((one) => ({
      ...one,
      ...(shots[one.task] !== undefined && { num_fewshot: shots[one.task]! }),
    }));
}

/** The groups among names, and those inside of them, whose means are reported. */
export function meansOf(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const group = GROUPS.get(name);
    return group ? [...meansOf(group.members), ...(group.mean ? [name] : [])] : [];
  });
}
