import { describe, expect, it } from "vitest";
import { cli, QUESTION, Running } from "./helpers.ts";

/** A chat on a pseudo-terminal: util-linux's `script` gives one. */
function terminal(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
  const command = [process.execPath, cli, "run", ...args].map((part) => `'${part}'`).join(" ");
  return new Running("script", ["-qec", command, "/dev/null"], {
    stdio: "pipe",
    env: { ...process.env, NO_COLOR: undefined, ...env },
  });
}
const SPEED = /answer (\d+) tokens/g;
const speeds = (text: string): number[] => [...text.matchAll(SPEED)].map(([, n]) => Number(n));

describe.runIf(process.platform === "linux")("a chat", () => {
  it("answers with all turns as context, clears, helps, ends with /bye", async () => {
    const chat = terminal();
    const type = (text: string) => chat.child.stdin!.write(text);
    let at = await chat.until(">>> ");
    type(`${QUESTION}\r`);
    at = await chat.until("\\boxed{260} km.", at);
    at = await chat.until(">>> ", at);
    type("How much is 8 * 33?\r");
    at = await chat.until(">>> ", await chat.until("answer ", at));
    type("/clear\r");
    at = await chat.until(">>> ", at);
    type(`${QUESTION}\r`);
    at = await chat.until(">>> ", await chat.until("\\boxed{260} km.", at));
    type("/help\r");
    at = await chat.until(">>> ", await chat.until("/clear forgets", at));
    type("/bye\r");
    expect(await chat.exit).toBe(0);
    const prompts = [...chat.stdout.matchAll(/prompt (\d+) tokens/g)].map(([, n]) => Number(n));
    // The second prompt holds the first and its answer of 66 tokens; after /clear nothing is left.
    expect(prompts).toHaveLength(3);
    expect(prompts[0]).toBe(37);
    expect(prompts[1]).toBeGreaterThan(37 + 66);
    expect(prompts[2]).toBe(37);
    expect(chat.stdout).toContain("\x1b[2m<think>");
  });

  it("Ctrl-C stops an answer, drops a line, and on an empty line ends", async () => {
    const chat = terminal(["--ignore-eos", "--draft-max", "0"]);
    const type = (text: string) => chat.child.stdin!.write(text);
    let at = await chat.until(">>> ");
    type(`${QUESTION}\r`);
    at = await chat.until("<think>", at);
    type("\x03");
    at = await chat.until(">>> ", at);
    expect(speeds(chat.stdout)[0]).toBeLessThan(900);
    type("half a line");
    at = await chat.until("half a line", at);
    type("\x03");
    at = await chat.until(">>> ", at);
    expect(speeds(chat.stdout)).toHaveLength(1);
    type("\x03");
    expect(await chat.exit).toBe(0);
  });

  it("Ctrl-D ends; a conversation that fills the context says what to do", async () => {
    const chat = terminal(["-c", "60"]);
    const type = (text: string) => chat.child.stdin!.write(text);
    let at = await chat.until(">>> ");
    type(`${QUESTION}\r`);
    at = await chat.until(">>> ", at);
    type(`${QUESTION}\r`);
    at = await chat.until("/clear begins a new conversation", at);
    await chat.until(">>> ", at);
    type("\x04");
    expect(await chat.exit).toBe(0);
  });

  it("lines pasted during an answer are asked in order, and not echoed into it; Ctrl-D then ends after it", async () => {
    const chat = terminal();
    const type = (text: string) => chat.child.stdin!.write(text);
    let at = await chat.until(">>> ");
    type(`${QUESTION}\rHow much is 8 * 33?\rHow much is`);
    at = await chat.until(">>> How much is 8 * 33?", await chat.until("answer ", at));
    expect(chat.stdout.slice(0, at).split("How much is")).toHaveLength(2);
    at = await chat.until(">>> How much is", await chat.until("answer ", at));
    type(" 2 + 3?\r");
    at = await chat.until("<think>", at);
    type("\x04");
    expect(await chat.exit).toBe(0);
    expect(speeds(chat.stdout)).toHaveLength(3);
  });

  it("NO_COLOR", async () => {
    const chat = terminal([QUESTION], { NO_COLOR: "1" });
    await chat.exit;
    expect(chat.stdout).toContain("<think>");
    expect(chat.stdout).not.toContain("\x1b[2m");
  });
});
