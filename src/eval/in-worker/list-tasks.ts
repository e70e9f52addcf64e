/**
 * The tasks that a page offers.
 * @module
 */
import { TASKS } from "../registry.ts";

/** The task whose data is inside the package. */
export const INCLUDED = "crumb-problems";

export interface TaskInfo {
  readonly name: string;
  /** The data set on the hub, with its configuration, and the split. */
  readonly dataSet: string;
  /** Whether its rows are inside the package, so that no file is needed. */
  readonly included: boolean;
  /** Examples per prompt by default. */
  readonly shots: number;
}

/** The task that needs no file first. Tasks whose answers are programs are left out, since a page runs none. */
export function listTasks(): readonly TaskInfo[] {
  const offered = [...TASKS.values()].filter(({ code_rule }) => code_rule === undefined);
  const tasks = offered.map(({ task, dataset_path, dataset_name, test_split, num_fewshot = 0 }) => ({
    name: task,
    dataSet: `${dataset_path}${dataset_name === undefined ? "" : ` (${dataset_name})`}, split ${test_split}`,
    included: task === INCLUDED,
    shots: num_fewshot,
  }));
  return tasks.sort((a, b) => Number(b.included) - Number(a.included));
}
