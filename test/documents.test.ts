/** The documents name only files that exist: links, and paths in backticks that have a slash and an extension. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./helpers/models.ts";

/** A path in a document is relative to the repository, or to the document. */
function exists(path: string, document: string): boolean {
  return existsSync(join(root, path)) || existsSync(join(root, dirname(document), path));
}

/** Paths such as `src/cli/flags.ts`; with `*`, `NAME` or `...` a path is a pattern, and `dist/` and `.cache/` are built. */
function namedPaths(text: string): string[] {
  const code = [...text.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\.(?:ts|mjs|js|json|jsonc|md|py|yml|html|css|wasm|svg))`/g)];
  return code.map(([, path]) => path!).filter((path) => !/^(?:dist|\.cache|node_modules)\/|[A-Z]{4}/.test(path));
}

/** Files of a reader's own project. */
const READERS_FILES: readonly string[] = ["first.mjs", "next.config.ts", "vite.config.ts"];

/** Names of files without a folder, such as `flags.ts`. */
function namedFiles(text: string): string[] {
  const names = [...text.matchAll(/`([a-z][\w.-]*\.(?:ts|mjs|yml))`/g)].map(([, name]) => name!);
  return names.filter((name) => !READERS_FILES.includes(name));
}

/** Folders such as `src/cli/`. */
function namedFolders(text: string): string[] {
  const folders = [
    ...text.matchAll(/`((?:src|test|assembly|bench|docs|examples|weights-tools|scripts)\/[\w./-]*)\/`/g),
  ];
  return folders.map(([, path]) => path!);
}

/** Targets of links within the repository, and the part after `#`. */
function links(text: string): { path: string; anchor: string | undefined }[] {
  return [...text.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, path, anchor]) => ({
    path: path!,
    anchor,
  }));
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(document: string): string[] {
  const headings = readFileSync(join(root, document), "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

const listFiles = ["ls-files", "--cached", "--others", "--exclude-standard"];
const files = execFileSync("git", listFiles, { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((name) => name !== "" && existsSync(join(root, name)));
const documents = files.filter((name) => name.endsWith(".md") && !name.startsWith("bench/results/"));
const names = new Set(files.map((name) => basename(name)));

describe.each(documents)("%s", (document) => {
  const text = readFileSync(join(root, document), "utf8");

  it("names files that exist", () => {
    const missing = [...namedPaths(text), ...namedFolders(text)].filter((path) => !exists(path, document));
    expect([...missing, ...namedFiles(text).filter((name) => !names.has(name))]).toEqual([]);
  });

  it("links to files and headings that exist", () => {
    const broken = links(text).filter(({ path, anchor }) => {
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchors(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** The rows of a table, as cells. */
const tableRows = (text: string): string[][] =>
  text.split("\n").flatMap((line) => (line.startsWith("| ") ? [line.split("|")] : []));

/** Documents that a comment names. Those of ggml are cited as "ggml, docs/...". */
function citedDocuments(text: string): string[] {
  return [...text.matchAll(/(?<![\w./"-]|ggml, )[\w-][\w./-]*\.md\b/g)].map(([path]) => path);
}

it("comments cite only documents that exist", () => {
  const sources = execFileSync("git", ["ls-files", "*.ts", "*.mjs"], { cwd: root, encoding: "utf8" });
  const missing = sources
    .trim()
    .split("\n")
    .filter((path) => path !== "test/documents.test.ts" && existsSync(join(root, path)))
    .flatMap((path) =>
      citedDocuments(readFileSync(join(root, path), "utf8"))
        .filter((cited) => !exists(cited, path))
        .map((cited) => `${path}: ${cited}`),
    );
  expect(missing).toEqual([]);
  expect(citedDocuments("none.md, docs/none.md; but not ggml, docs/gguf.md")).toEqual(["none.md", "docs/none.md"]);
});

it("docs/where.md: the files of an answer hold the names of the answer", () => {
  const answers = tableRows(readFileSync(join(root, "docs/where.md"), "utf8")).map((cells) => cells[2]!);
  const missing = answers.flatMap((answer) => {
    const texts = namedPaths(answer).map((path) => readFileSync(join(root, path), "utf8"));
    const names = [...answer.matchAll(/`([A-Za-z_]+)(?:\.([A-Za-z]+))?`/g)].flatMap(([, a, b]) => (b ? [a!, b] : [a!]));
    return texts.length === 0 ? [] : names.filter((name) => !texts.some((text) => text.includes(name)));
  });
  // `top_p` is what the answer says `requestName` makes of `topP`.
  expect(missing.filter((name) => name !== "top_p")).toEqual([]);
});

it("CONTRIBUTING.md gives a reason for every development dependency, and for no other", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const section = readFileSync(join(root, "CONTRIBUTING.md"), "utf8").split("| development dependency |")[1]!;
  const cells = tableRows(section.split("\n\n")[0]!).map(([, first]) => first!);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  expect(named.sort()).toEqual(Object.keys(devDependencies).sort());
});

it("test/README.md names every folder of tests", () => {
  const text = readFileSync(join(root, "test/README.md"), "utf8");
  const folders = readdirSync(join(root, "test"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const missing = folders.filter(({ name }) => !text.includes(`\`${name}\``) && !text.includes(`${name}/\``));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

it("workflows pin every action by its commit", () => {
  const folder = join(root, ".github/workflows");
  const uses = readdirSync(folder).flatMap((name) => [
    ...readFileSync(join(folder, name), "utf8").matchAll(/uses: (\S+)/g),
  ]);
  expect(uses.length).toBeGreaterThan(0);
  expect(uses.map(([, action]) => action!).filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([]);
});

it("a path that does not exist is found", () => {
  expect(namedPaths("see `src/cli/none.ts` and `src/cli/flags.ts`")).toEqual(["src/cli/none.ts", "src/cli/flags.ts"]);
  expect(exists("src/cli/none.ts", "README.md")).toBe(false);
  expect(namedFolders("in `src/none/` and `src/cli/`")).toEqual(["src/none", "src/cli"]);
  expect(links("[a](docs/none.md#there)")).toEqual([{ path: "docs/none.md", anchor: "there" }]);
});
