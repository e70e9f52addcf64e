/** The published declarations and the README's examples, in a project that has nothing but TypeScript. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ENTRIES } from "../../scripts/entries.mjs";
import { root } from "../helpers/models.ts";

const project = mkdtempSync(join(tmpdir(), "nibble-types-"));
const types = join(project, "node_modules/nibble-llm/dist/types");
afterAll(() => rmSync(project, { recursive: true }));

/** The output of tsc. */
function tsc(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...args], {
    encoding: "utf8",
  });
  return stdout + stderr;
}

beforeAll(() => {
  cpSync(join(root, "dist/types"), types, { recursive: true });
  writeFileSync(join(types, "../../package.json"), readFileSync(join(root, "package.json")));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    types: [],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
});

it("the README's examples, and every entry, need no @types/node; the model's own facts are options of generate", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]);
  expect(examples.length).toBeGreaterThan(1);
  writeFileSync(join(project, "readme.ts"), examples.join("\n"));
  const uses = `import { load } from "nibble-llm";
    const { generate, info: { sampling, endIds } } = await load("crumb");
    generate({ prompt: [1] });
    generate({ prompt: [1], sampling, endIds, stop: ["x"] });
    generate({ prompt: [1], sampling: { ...sampling, seed: 1 } });
    // @ts-expect-error
    generate({ prompt: "x" });
    generate({ prompt: [1], sampling: 5 });`;
  writeFileSync(join(project, "generate.ts"), uses);
  const imported = ENTRIES.flatMap(({ subpath }, i) =>
    subpath ? [`export type * as entry${i} from "nibble-llm/${subpath}";`] : [],
  );
  writeFileSync(join(project, "entries.ts"), imported.join("\n"));
  expect(tsc("-p", project)).toMatch(/^\S*generate\.ts\(8,29\): error TS\d+: .*\n?$/);
});

it('with @types/node, neither skipLibCheck nor the library "dom" is needed; models and sessions can be declared with using', () => {
  const own = join(project, "without-dom");
  const code = `import { load } from "nibble-llm";
    import { createHandler } from "nibble-llm/server";
    import { createNibble } from "nibble-llm/ai-sdk";
    using model = await load("crumb");
    using session = model.session();
    const total: number = model.info.memory.total + (model.info.draft?.memory.total ?? 0);
    console.log(total, session.length, createHandler(model), createNibble({ load }));
    // @ts-expect-error
    console.log(model.info.nonsense);`;
  mkdirSync(own);
  writeFileSync(join(own, "main.ts"), code);
  symlinkSync(join(project, "node_modules"), join(own, "node_modules"));
  mkdirSync(join(project, "node_modules/@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"])
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  const compilerOptions = { target: "es2022", module: "nodenext", lib: ["es2023"], types: ["node"], strict: true };
  const config = { compilerOptions: { ...compilerOptions, skipLibCheck: false, noEmit: true }, include: ["main.ts"] };
  writeFileSync(join(own, "tsconfig.json"), JSON.stringify(config));
  expect(tsc("-p", own)).toBe("");
});

// Int32Array<ArrayBuffer> came with TypeScript 5.7, AsyncIterableIterator<T, TReturn> with 5.6: older compilers stop there.
it("the declarations of the main entry need no TypeScript newer than 5.2", () => {
  const seen = new Set<string>();
  const open = [join(types, "entries/node.d.ts")];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    const newer = text.match(/\w+(?:\d|Clamped)Array<.*|\bAsync\w*Iterator<[^<>]*,.*/g);
    expect({ path, newer }).toEqual({ path, newer: null });
    for (const [, name] of text.matchAll(/(?:from|import) ?["'](\.[^"']+)["']/g))
      open.push(join(dirname(path), name!.replace(/\.js$/, ".d.ts")));
  }
  expect([...seen].map((path) => basename(path))).toContain("model.d.ts");
});
