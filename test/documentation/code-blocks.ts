/**
 * The code blocks of the documents. The words behind the language of a block say where it runs:
 *
 * | words | what the tests do |
 * |---|---|
 * | none | the blocks of a page are one module, which is compiled, and runs in Node |
 * | `browser`, `worker`, `deno` | the block is a module of its own for that host, which is compiled, and runs there in test/slow/hosts/documentation.test.ts |
 * | `own` | the block is a module of its own, which is compiled, and runs in Node |
 * | `outside` | the block needs a package that is not installed here |
 *
 * A block `txt output` holds what the module of its page prints.
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../helpers/models.ts";

export interface CodeBlock {
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

/** The documents that users read: README.md and the pages of the site. */
export const PAGES: readonly string[] = [
  "README.md",
  ...execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "docs/**/*.md", "docs/*.md"], {
    cwd: root,
    encoding: "utf8",
  })
    .trim()
    .split("\n"),
];

/** The fenced blocks of a page, from the top. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(\S+)([^\n]*)\n(.*?)^```$/gms)].map(([, language, words, text]) => ({
    language: language!,
    words: words!.trim().split(/\s+/).filter(Boolean),
    text: text!,
  }));
}

/** A module of a page. */
export interface PageModule {
  /** What it prints, besides other things. */
  readonly outputs: readonly string[];
  /** A file name, such as `docs-start-node.ts`. */
  readonly name: string;
  readonly host: "node" | "browser" | "worker" | "deno";
  readonly code: string;
}

const isCode = ({ language }: CodeBlock): boolean => language === "ts" || language === "js";
const HOSTS = ["browser", "worker", "deno"] as const;

/** The modules of a page: one of all blocks without words, and one of each other block. */
export function modulesOf(page: string): PageModule[] {
  const blocks = codeBlocks(page).filter((block) => isCode(block) && !block.words.includes("outside"));
  const stem = page.replace(/\.md$/, "").replaceAll("/", "-").toLowerCase();
  const own = blocks
    .filter(({ words }) => words.length > 0)
    .map(({ words, text }, i) => ({
      outputs: [],
      name: `${stem}-${i}.ts`,
      host: HOSTS.find((host) => words.includes(host)) ?? ("node" as const),
      code: text,
    }));
  const code = blocks.filter(({ words }) => words.length === 0).map(({ text }) => text);
  if (code.length === 0) return own;
  const outputs = codeBlocks(page)
    .filter(({ words }) => words.includes("output"))
    .map(({ text }) => text.trim());
  return [{ outputs, name: `${stem}.ts`, host: "node", code: code.join("\n") }, ...own];
}

/** The command lines of a page that call nibble, without their comments. */
export function commandLines(page: string): string[] {
  return codeBlocks(page)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/ +#.*$/, "").trim())
    .filter((line) => /^(?:npx )?nibble(?:-llm)? /.test(line))
    .map((line) => line.replace(/^(?:npx )?nibble(?:-llm)? /, ""));
}
