/** `nibble completion` and `nibble manual` are made of the same table as help. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { type CommandFlags, completion } from "../../src/cli/completion.ts";
import { manual } from "../../src/cli/manual.ts";
import { temporary } from "../hub/helpers.ts";

const commands: CommandFlags[] = await Promise.all(
  [...COMMANDS].map(async ([name, { summary, load }]) => ({ name, summary, flags: (await load()).flags })),
);

it("bash completes commands, flags of the command, and files", () => {
  const folder = temporary();
  writeFileSync(join(folder, "model.gguf"), "");
  writeFileSync(join(folder, "completion"), completion("bash", commands));
  const complete = (line: string): string[] => {
    const words = `COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))`;
    const script = `source completion; ${words}; _nibble; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { cwd: folder, encoding: "utf8" });
    expect(stderr).toBe("");
    return stdout.trim().split(" ");
  };
  expect(complete("nibble se")).toEqual(["serve"]);
  expect(complete("nibble serve --por")).toEqual(["--port"]);
  expect(complete("nibble run --por")).toEqual([""]);
  expect(complete("nibble run -m mod")).toEqual(["model.gguf"]);
  expect(complete("nibble help tok")).toEqual(["tokenize"]);
});

it("every shell gets every flag that help shows, and the manual too", () => {
  const all = commands.flatMap(({ flags }) => Object.values(flags)).filter(({ help }) => help !== undefined);
  for (const shell of ["bash", "zsh"]) {
    const text = completion(shell, commands);
    expect(all.flatMap(({ names }) => names).filter((name) => !text.includes(name))).toEqual([]);
  }
  const fish = completion("fish", commands);
  expect(all.flatMap(({ names }) => names).filter((name) => !fish.includes(` ${name.replace(/^--?/, "")} `))).toEqual(
    [],
  );
  const page = manual("1.2.3", "MODEL is .. a model", commands);
  expect(page).toContain("\n.SS nibble serve\n");
  expect(all.flatMap(({ names }) => names).filter((name) => !page.includes(name.replaceAll("-", "\\-")))).toEqual([]);
  expect(page.split("\n").filter((line) => /^['.](?!TH |SH |SS |TP$|B )/.test(line))).toEqual([]);
});

it("an unknown shell is an error that names the known ones", () => {
  expect(() => completion("tcsh", commands)).toThrow(
    "completion: expected the name of a shell (bash, zsh, fish), got tcsh",
  );
});
