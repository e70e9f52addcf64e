/** The documentation site: `npm run docs` builds it, and fails where a link leads nowhere. */
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { defineConfig, type MarkdownRenderer } from "vitepress";

const REPOSITORY = "https://github.com/nibble-llm/nibble";

/** Pages that include a document of the repository's root, whose links start from there. */
const INCLUDED = ["security.md"];

/** Links to files of the repository that are no pages of the site lead to the repository. */
function linkOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("outside", ({ tokens, env }) => {
    const folder = INCLUDED.includes(env.relativePath) ? ".." : posix.dirname(env.relativePath);
    for (const link of tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === "link_open")) {
      const target = link.attrGet("href") ?? "";
      if (/^(?:\w+:|[/#])/.test(target)) continue;
      const path = posix.join(folder, target);
      if (path.startsWith("../docs/")) link.attrSet("href", `/${path.slice("../docs/".length)}`);
      else if (path.startsWith("../")) link.attrSet("href", `${REPOSITORY}/blob/main/${path.slice("../".length)}`);
    }
  });
}

/** Copies the playground's files, which `npm run build` made, to `playground/` of the site. */
function addPlayground({ root, outDir }: { readonly root: string; readonly outDir: string }): void {
  const dist = join(root, "../dist");
  const list = join(dist, "playground/files.json");
  if (!existsSync(list)) throw new Error(`expected ${list}: "npm run build" writes it`);
  for (const file of JSON.parse(readFileSync(list, "utf8")) as string[])
    cpSync(join(dist, file), join(outDir, "playground", file));
}

const pages = (prefix: string, names: Readonly<Record<string, string>>) =>
  Object.entries(names).map(([path, text]) => ({ text, link: `${prefix}${path}` }));

export default defineConfig({
  title: "nibble",
  description: "Small reasoning language models on any CPU, with nothing to install",
  cleanUrls: true,
  lastUpdated: false,
  srcExclude: ["README.md"],
  markdown: { config: linkOutside },
  buildEnd: addPlayground,
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/start/node" },
      { text: "Servers", link: "/servers" },
      { text: "Reference", link: "/reference/" },
      { text: "Troubleshooting", link: "/troubleshooting" },
      { text: "Playground", link: "/playground/", target: "_self" },
    ],
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    sidebar: [
      {
        text: "Start",
        items: pages("/start/", {
          node: "Node",
          "deno-bun": "Deno and Bun",
          browser: "Browsers",
          workers: "Cloudflare Workers",
          "command-line": "Command line",
        }),
      },
      {
        text: "Guide",
        items: pages("/guide/", {
          models: "Which model",
          load: "Load options",
          reasoning: "Reasoning",
          json: "JSON and other forms",
          tools: "Tools in a loop",
          streaming: "A streaming interface",
          embeddings: "Search with embeddings",
          rag: "Answers from documents",
          lora: "An adapter for each tenant",
          sessions: "Sessions and snapshots",
          drafts: "Drafts",
          performance: "Fast and small",
          quantisation: "What quantisation costs",
          "benchmark-data": "Data for benchmarks",
          determinism: "The same bits everywhere",
        }).concat(pages("/", { evaluation: "Evaluation" })),
      },
      {
        text: "Servers",
        items: pages("/", { servers: "Endpoints", frameworks: "Frameworks", api: "Every field" }),
      },
      {
        text: "More",
        items: pages("/", {
          troubleshooting: "Troubleshooting",
          migrating: "Migrating",
          security: "Security",
          "reference/": "Reference",
        }),
      },
      {
        text: "For contributors",
        items: pages("/", {
          where: "Where is ...?",
          numerics: "Numerics",
          kernels: "Kernels",
          performance: "Measurements",
          reliability: "Reliability",
        }),
      },
    ],
  },
});
