import { copyFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporary } from "../hub/helpers.ts";
import { cli, pathOf, QUESTION, Running } from "./helpers.ts";

/** A chat on a pseudo-terminal: util-linux's `script` gives one. */
function terminal(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Running {
  const command = [process.execPath, cli, "run", ...args].map((part) => `'${part}'`).join(" ");
  return new Running("script", ["-qec", command, "/dev/null"], {
    stdio: "pipe",
    env: { ...process.env, NO_COLOR: undefined, NIBBLE_HISTORY: "", ...env },
  });
}
/** crumb under another name, as any other model: with its own name each question stands alone. */
function otherModel(): string {
  const path = join(temporary(), "other.gguf");
  copyFileSync(pathOf("dist/crumb.gguf"), path);
  return path;
}

const SPEED = /answer (\d+) tokens/g;
const speeds = (text: string): number[] => [...text.matchAll(SPEED)].map(([, n]) => Number(n));

describe.runIf(process.platform === "linux")("a chat", () => {
  it("answers with all turns as context, clears, helps, ends with /bye", async () => {
    const chat = terminal(["-m", otherModel()]);
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
    at = await chat.until(">>> ", await chat.until("forgets the conversation", at));
    type("/bye\r");
    expect(await chat.exit).toBe(0);
    const prompts = [...chat.stdout.matchAll(/prompt (\d+) tokens/g)].map(([, n]) => Number(n));
    // The second prompt contains the first and its answer of 66 tokens; after /clear it contains nothing earlier.
    expect(prompts).toHaveLength(3);
    expect(prompts[0]).toBe(37);
    expect(prompts[1]).toBeGreaterThan(37 + 66);
    expect(prompts[2]).toBe(37);
    expect(chat.stdout).toContain("\x1b[2m<think>");
  });

  it("crumb answers each question alone, and says so", async () => {
    const chat = terminal();
    let at = await chat.until(">>> ", await chat.until("answers each question by itself"));
    for (let turn = 0; turn < 2; turn++) {
      chat.child.stdin!.write(`${QUESTION}\r`);
      at = await chat.until(">>> ", await chat.until("\\boxed{260} km.", at));
    }
    chat.child.stdin!.write("/exit\r");
    expect(await chat.exit).toBe(0);
    expect([...chat.stdout.matchAll(/prompt (\d+) tokens/g)].map(([, n]) => Number(n))).toEqual([37, 37]);
  });

  it("Ctrl-C stops an answer, drops a line, explains how to leave, and then leaves", async () => {
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
    at = await chat.until(">>> ", await chat.until("/bye or Ctrl-D ends", at));
    type("/sh\t");
    at = await chat.until("/show", at);
    type("\r");
    at = await chat.until(">>> ", await chat.until("conversation         2 messages", at));
    type("\x03");
    at = await chat.until(">>> ", await chat.until("/bye or Ctrl-D ends", at));
    type("\x03");
    expect(await chat.exit).toBe(0);
  });

  it("Ctrl-D ends the chat; the error of a full context says what to do", async () => {
    const chat = terminal(["-m", otherModel(), "-c", "60"]);
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

  it("lines that are pasted during an answer are asked in order and not echoed into it; Ctrl-D ends the chat after them", async () => {
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

  it("/set changes, shows and resets settings; a wrong value is an error and changes nothing", async () => {
    const chat = terminal(["--temp", "0.5"]);
    let at = await chat.until(">>> ");
    /** The output between the line's echo and the next prompt. */
    const ask = async (text: string): Promise<string> => {
      chat.child.stdin!.write(`${text}\r`);
      const begin = await chat.until("\n", await chat.until(text, at));
      at = await chat.until(">>> ", begin);
      return chat.stdout.slice(begin, at);
    };
    expect(await ask("/set temp")).toMatch(/temp +0\.5 +\(set\)/);
    await ask("/set --temp 0.25");
    await ask("/set top_k 7");
    await ask("/set system Be brief.");
    const shown = await ask("/show");
    expect(shown).toMatch(/model +crumb, architecture llama4/);
    expect(shown).toMatch(/conversation +1 messages, \d+ of 1024 tokens/);
    expect(shown).toMatch(/system +Be brief\./);
    expect(shown).toMatch(/temp +0\.25/);
    expect(shown).toMatch(/top-k +7/);
    await ask("/set temp default");
    expect(await ask("/set temp")).not.toContain("(set)");
    expect(await ask("/set top-k many")).toMatch(/top-k: expected a whole number from -?\d+, got "many"/);
    expect(await ask("/set top-k")).toMatch(/top-k +7/);
    expect(await ask("/set nonsense 1")).toContain("nonsense: there is no such setting (system, ");
    expect(await ask("/nonsense")).toContain("/nonsense: there is no such command (/set, ");
    expect(await ask("/save /missing/folder/x.json")).toContain("/save: /missing/folder/x.json cannot be made");
    await ask("/set n-predict 3");
    expect(await ask(QUESTION)).toContain("answer 3 tokens");
    const file = join(temporary(), "chat.json");
    expect(await ask(`/save ${file}`)).toContain("2 messages in");
    const saved = JSON.parse(readFileSync(file, "utf8"));
    expect(saved.map(({ role }: { role: string }) => role)).toEqual(["system", "user", "assistant"]);
    expect(saved[1].content).toBe(QUESTION);
    expect(await ask(`/save ${file}`)).toContain("EEXIST");
    chat.child.stdin!.write("/bye\r");
    expect(await chat.exit).toBe(0);
  });

  it("lines between triple quotes are one question", async () => {
    const chat = terminal();
    const type = (text: string) => chat.child.stdin!.write(text);
    let at = await chat.until(">>> ");
    type('"""A train travels at 65 km per hour for 4 hours.\r');
    at = await chat.until("... ", at);
    type('How far does it go?"""\r');
    at = await chat.until(">>> ", await chat.until("answer ", at));
    expect(speeds(chat.stdout)).toHaveLength(1);
    type("\x04");
    expect(await chat.exit).toBe(0);
  });

  it("lines of earlier chats that cannot be read are not replaced, and the chat goes on", async () => {
    const chat = terminal([], { NIBBLE_HISTORY: temporary() }); // a folder
    await chat.until(">>> ", await chat.until("EISDIR"));
    chat.child.stdin!.write("\x04");
    expect(await chat.exit).toBe(0);
  });

  it("the up arrow brings back earlier lines, also those of earlier chats", async () => {
    const history = join(temporary(), "history");
    const first = terminal([], { NIBBLE_HISTORY: history });
    let at = await first.until(">>> ");
    first.child.stdin!.write("/set temp\r");
    at = await first.until(">>> ", at);
    first.child.stdin!.write("/set top-k\r");
    at = await first.until(">>> ", at);
    first.child.stdin!.write("\x04");
    expect(await first.exit).toBe(0);
    expect(readFileSync(history, "utf8")).toBe("/set temp\n/set top-k\n");
    expect(statSync(history).mode & 0o777).toBe(0o600);
    const second = terminal([], { NIBBLE_HISTORY: history });
    at = await second.until(">>> ");
    second.child.stdin!.write("\x1b[A\x1b[A\r");
    at = await second.until("always the likeliest", at);
    await second.until(">>> ", at);
    second.child.stdin!.write("/bye\r");
    expect(await second.exit).toBe(0);
    expect(readFileSync(history, "utf8")).toBe("/set top-k\n/set temp\n/bye\n");
  });

  it("NO_COLOR switches dimming off", async () => {
    const chat = terminal([QUESTION], { NO_COLOR: "1" });
    await chat.exit;
    expect(chat.stdout).toContain("<think>");
    expect(chat.stdout).not.toContain("\x1b[2m");
  });
});
