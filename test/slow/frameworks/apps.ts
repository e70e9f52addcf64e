/**
 * One app per framework that has a server of its own: its template, and the route of nibble as docs/frameworks.md has it.
 * `sv` brings its template in its package. The other templates lie on GitHub, which tests do not reach, so the files of the
 * smallest one are written here.
 * @module
 */
import type { AppFiles } from "./app-folder.ts";

/** A command of the app: arguments of Node, most often a file below its folder and arguments of that. `$PORT` is the port to listen on. */
type Command = readonly string[];

export interface App extends AppFiles {
  readonly name: string;
  readonly build?: Command;
  readonly start: Command;
  readonly dev: Command;
  /** The framework does not say that a client has left before an answer that is not streamed: it is computed to its end. */
  readonly onlyStreamsEnd?: true;
  /** It runs on Bun, whose arguments the commands are then. */
  readonly bun?: true;
}

/** crumb, which is loaded with the route, and a real model, which is loaded when it is asked for. */
const HANDLER = `import { load } from "nibble-llm";
import { createHandler } from "nibble-llm/server";
const smollm2 = { name: "smollm2", load: () => load(process.env.SMOLLM2!, { contextLength: 256 }) };
const handler = createHandler([await load("crumb", { threads: 2 }), smollm2], { basePath: "/ai" });
`;
const manifest = '{ "name": "app", "private": true, "type": "module" }';

const next = (bundler: string): App => ({
  name: `Next.js 16 ${bundler}`,
  packages: [
    "next@16.4.3",
    "react@19.3.0",
    "react-dom@19.3.0",
    "typescript@5.9.3",
    "@types/node@24",
    "@types/react@19",
  ],
  files: {
    "package.json": manifest,
    "app/layout.tsx": `export default function Layout({ children }: { children: React.ReactNode }) {
      return <html lang="en"><body>{children}</body></html>;
    }`,
    "app/page.tsx": "export default function Page() { return <p>home</p>; }",
    "app/ai/[...path]/route.ts": `${HANDLER}export const GET = handler; export const POST = handler;`,
  },
  build: ["node_modules/next/dist/bin/next", "build", bundler],
  start: ["node_modules/next/dist/bin/next", "start"],
  dev: ["node_modules/next/dist/bin/next", "dev", bundler],
});

export const APPS: readonly App[] = [
  next("--turbopack"),
  next("--webpack"),
  {
    name: "SvelteKit 2",
    template: ["sv@0.17.1", "create", ".", "--template", "minimal", "--types", "ts", "--no-add-ons", "--no-install"],
    packages: ["@sveltejs/kit@2.70.4", "@sveltejs/adapter-node@5.5.7", "svelte@5.57.3", "vite@8.4.0"],
    files: {
      "vite.config.ts": (text) => text.replace("@sveltejs/adapter-auto", "@sveltejs/adapter-node"),
      "src/routes/ai/[...path]/+server.ts": `${HANDLER}export const fallback = ({ request }) => handler(request);`,
    },
    build: ["node_modules/vite/bin/vite.js", "build"],
    start: ["build/index.js"],
    dev: ["node_modules/vite/bin/vite.js", "dev", "--port", "$PORT"],
    onlyStreamsEnd: true,
  },
  {
    name: "Nuxt 4",
    packages: ["nuxt@4.5.2", "vue@3.5.45", "vue-router@5.5.1"],
    files: {
      "package.json": manifest,
      "nuxt.config.ts": 'export default defineNuxtConfig({ compatibilityDate: "2025-07-15" });',
      "app/app.vue": "<template><p>home</p></template>",
      "server/routes/ai/[...path].ts": `import { load } from "nibble-llm";
        import { createHandler, toNodeListener } from "nibble-llm/server";
        const crumb = { name: "crumb", load: () => load("crumb", { threads: 2 }) };
        const smollm2 = { name: "smollm2", load: () => load(process.env.SMOLLM2!, { contextLength: 256 }) };
        const listener = toNodeListener(createHandler([crumb, smollm2], { basePath: "/ai" }));
        export default defineEventHandler(({ node }) => listener(node.req, node.res));`,
    },
    build: ["node_modules/nuxt/bin/nuxt.mjs", "build"],
    start: [".output/server/index.mjs"],
    dev: ["node_modules/nuxt/bin/nuxt.mjs", "dev", "--port", "$PORT"],
  },
  {
    name: "Astro 7",
    packages: ["astro@7.3.5", "@astrojs/node@11.1.6"],
    files: {
      "package.json": manifest,
      "astro.config.mjs": `import { defineConfig } from "astro/config";
        import node from "@astrojs/node";
        export default defineConfig({ adapter: node({ mode: "standalone" }) });`,
      "src/pages/index.astro": "<html><body><p>home</p></body></html>",
      "src/pages/ai/[...path].ts": `${HANDLER}export const prerender = false;
        export const ALL = ({ request }) => handler(request);`,
    },
    build: ["node_modules/astro/bin/astro.mjs", "build"],
    start: ["dist/server/entry.mjs"],
    dev: ["node_modules/astro/bin/astro.mjs", "dev", "--port", "$PORT"],
  },
  {
    name: "React Router 8",
    packages: [
      ...["", "dev", "node", "serve"].map((part) => `${part ? `@react-router/${part}` : "react-router"}@8.4.0`),
      ...["react@19.3.0", "react-dom@19.3.0", "isbot@5.2.3", "vite@8.4.0", "typescript@5.9.3"],
    ],
    files: {
      "package.json": manifest,
      "vite.config.ts": `import { reactRouter } from "@react-router/dev/vite";
        export default { plugins: [reactRouter()] };`,
      "app/root.tsx": `import { Outlet, Scripts } from "react-router";
        export default () => <html lang="en"><body><Outlet /><Scripts /></body></html>;`,
      "app/routes.ts": `import { index, route } from "@react-router/dev/routes";
        export default [index("routes/home.tsx"), route("ai/*", "routes/ai.ts")];`,
      "app/routes/home.tsx": "export default () => <p>home</p>;",
      "app/routes/ai.ts": `${HANDLER}export const loader = ({ request }) => handler(request);
        export const action = loader;`,
    },
    build: ["node_modules/@react-router/dev/bin.cjs", "build"],
    start: ["node_modules/@react-router/serve/bin.cjs", "build/server/index.js"],
    dev: ["node_modules/@react-router/dev/bin.cjs", "dev", "--port", "$PORT"],
  },
  {
    name: "Elysia 1 on Bun",
    packages: ["elysia@1.4.30"],
    files: {
      "package.json": manifest,
      "main.ts": `import { Elysia } from "elysia";
        ${HANDLER}new Elysia().mount(handler).listen(process.env.PORT!);`,
    },
    start: ["main.ts"],
    dev: ["--watch", "main.ts"],
    bun: true,
  },
];
