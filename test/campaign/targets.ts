/** All targets. Names are `part/what`. */
import { FAULT_TARGETS } from "./faults/targets.ts";
import { MUTATION_TARGETS } from "./mutation/targets.ts";
import { SERVER_TARGETS } from "./server/targets.ts";
import { SOAK_TARGETS } from "./soak.ts";
import type { PartName, Target } from "./target.ts";

const TARGETS: readonly Target[] = [...MUTATION_TARGETS, ...SERVER_TARGETS, ...FAULT_TARGETS, ...SOAK_TARGETS];

export function targetsOf(part: PartName): readonly Target[] {
  return TARGETS.filter((target) => target.part === part);
}

export function targetNamed(name: string): Target {
  const target = TARGETS.find((one) => one.name === name);
  if (!target) throw new Error(`no target ${name}; there are ${TARGETS.map((one) => one.name).join(", ")}`);
  return target;
}
