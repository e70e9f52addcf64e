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
import math500R1 from "./tasks/math500_r1.json" with { type: "json" };
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
] as readonly Task[];

export const TASKS: ReadonlyMap<string, Task> = new Map(ALL.map((task) => [task.task, task]));

/** Groups whose result is the mean of their tasks' results. */
export const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "commonsense",
    ["arc_easy", "arc_challenge", "boolq", "piqa", "social_iqa", "hellaswag", "openbookqa", "winogrande"],
  ],
]);
