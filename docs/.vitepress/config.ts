/** The documentation site: `npm run docs` builds it, and fails where a link leads nowhere. */
import { posix } from "node:path";
import { defineConfig, type MarkdownRenderer } from "vitepress";

const REPOSITORY = "https://github.com/nibble-llm/nibble";

/** Links to files of the repository that are no pages of the site lead to the repository. */
function linkOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("outside", ({ tokens, env }) => {
    for (const link of tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === "link_open")) {
      const target = link.attrGet("href") ?? "";
      const path = posix.join(posix.dirname(env.relativePath), target);
      if (/^\.\.?\//.test(target) && path.startsWith("../"))
        link.attrSet("href", `${REPOSITORY}/blob/main/${path.slice(3)}`);
    }
  });
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
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/start/node" },
      { text: "Servers", link: "/servers" },
      { text: "Reference", link: "/reference/" },
      { text: "Troubleshooting", link: "/troubleshooting" },
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
