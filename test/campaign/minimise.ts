/**
 * Makes failing inputs small by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
 * Input", 2002): steps are left out in chunks of halves, quarters and so on, as long as the rest still fails.
 * @module
 */
import type { Input, Step, Target } from "./target.ts";

/** Whether a list of steps still fails. */
type Fails = (steps: readonly Step[]) => Promise<boolean>;

/**
 * A list of which no single step can be left out.
 * @param steps a list that fails
 */
export async function withoutNeedless(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  let left = steps;
  for (let chunk = Math.ceil(left.length / 2); chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)) {
    for (let at = 0; at < left.length; ) {
      const fewer = [...left.slice(0, at), ...left.slice(at + chunk)];
      if (await fails(fewer)) left = fewer;
      else at += chunk;
    }
  }
  return left;
}

/** Replaces steps by smaller forms of themselves, until no form that the target offers still fails. */
async function withSmaller(steps: readonly Step[], target: Target, fails: Fails): Promise<readonly Step[]> {
  let left = steps;
  for (let at = 0; at < left.length; at++) {
    for (let again = true; again; ) {
      again = false;
      for (const form of target.smaller?.(left[at]!) ?? []) {
        const changed = left.with(at, form);
        if (!(await fails(changed))) continue;
        left = changed;
        again = true;
        break;
      }
    }
  }
  return left;
}

/**
 * The smallest input found within a time that fails in the same way.
 * @param signature says whether two failures are the same one
 */
export async function minimise(
  target: Target,
  input: Input,
  { seconds, signature }: { readonly seconds: number; readonly signature: string },
): Promise<Input> {
  const end = performance.now() + seconds * 1000;
  const fails: Fails = async (steps) => {
    if (performance.now() > end) return false;
    const failure = await failureOf(target, { ...input, steps });
    return failure !== undefined && signatureOf(failure) === signature;
  };
  const fewer = await withoutNeedless(input.steps, fails);
  return { ...input, steps: await withSmaller(fewer, target, fails) };
}

/** What an input breaks; undefined where it keeps the promise. */
export async function failureOf(target: Target, input: Input, seconds = 10): Promise<Error | undefined> {
  try {
    await target.run(input, seconds);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(`threw ${String(error)}`);
  }
}

/** The kind of a failure: its name and message without numbers and texts, and the place in our sources. */
export function signatureOf(error: Error): string {
  const message = error.message.split("\n")[0]!.replace(/"(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?/g, "_");
  const place = /\((?:file:\/\/)?[^()]*\/((?:src|weights-tools)\/[^():]+:\d+)/.exec(error.stack ?? "")?.[1] ?? "";
  return `${error.name}: ${message.slice(0, 200)} ${place}`.trim();
}
