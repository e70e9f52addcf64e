/**
 * The table of all routes, and the search in it.
 * @module
 */
import { ANTHROPIC_ROUTES } from "./anthropic/routes.ts";
import { LLAMA_SERVER_ROUTES } from "./llama-server/routes.ts";
import { MODEL_ROUTES } from "./models/routes.ts";
import { OLLAMA_ROUTES } from "./ollama/routes.ts";
import { OPENAI_ROUTES } from "./openai/routes.ts";
import type { Settings } from "./options.ts";
import type { Route } from "./route.ts";
import { VLLM_ROUTES } from "./vllm/routes.ts";

export interface FoundRoutes {
  /** The path as the routes have it. */
  readonly path: string;
  /** The routes of that path, which differ in their methods. */
  readonly routes: readonly Route[];
  /** The values of the `:name` parts of their path. */
  readonly params: Readonly<Record<string, string>>;
}

export type FindRoutes = (pathname: string) => FoundRoutes | undefined;

/** What Azure puts before OpenAI's paths. The name of a deployment stands for the model. */
const AZURE = /^\/openai(?:\/deployments\/([^/]+)|\/v1)?(?=\/)/;

/**
 * Finds the routes of a path, with or without `/v1` before it and slashes behind it, as llama-server's paths and clients
 * that join addresses have them, and OpenAI's paths as Azure has them. A path that is a route as it stands comes first.
 */
export function routeFinder(settings: Settings): FindRoutes {
  const find = exactFinder(routesOf(settings));
  return (pathname) => {
    const path = pathname.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
    const [azure, deployment] = AZURE.exec(path) ?? [];
    if (azure !== undefined) {
      const found = find(`/v1${path.slice(azure.length)}`);
      return found && deployment ? { ...found, params: { ...found.params, deployment: decode(deployment) } } : found;
    }
    return find(path) ?? (path === "/" ? undefined : find(path.startsWith("/v1/") ? path.slice(3) : `/v1${path}`));
  };
}

function routesOf({ page }: Settings): Route[] {
  const routes = [
    ...OPENAI_ROUTES,
    ...ANTHROPIC_ROUTES,
    ...LLAMA_SERVER_ROUTES,
    ...VLLM_ROUTES,
    ...OLLAMA_ROUTES,
    ...MODEL_ROUTES,
  ];
  // A browser has no key for a page.
  if (page) routes.push({ method: "GET", path: "/", open: true, respond: ({ request }) => page(request) });
  return routes;
}

function exactFinder(all: readonly Route[]): FindRoutes {
  const exact = new Map<string, Route[]>();
  for (const route of all) exact.set(route.path, [...(exact.get(route.path) ?? []), route]);
  const patterns = [...exact]
    .filter(([path]) => path.includes("/:"))
    .map(([path, routes]) => ({ path, routes, match: matcher(path) }));
  return (pathname) => {
    const routes = exact.get(pathname);
    if (routes) return { path: pathname, routes, params: {} };
    for (const { match, ...found } of patterns) {
      const params = match(pathname);
      if (params) return { ...found, params };
    }
    return undefined;
  };
}

/** The values of a path's `:name` parts, or undefined where the path is another one. */
function matcher(path: string): (pathname: string) => Record<string, string> | undefined {
  const parts = path.split("/");
  return (pathname) => {
    const given = pathname.split("/");
    if (given.length !== parts.length) return undefined;
    const params: Record<string, string> = {};
    for (const [i, part] of parts.entries()) {
      if (part.startsWith(":")) params[part.slice(1)] = decode(given[i]!);
      else if (part !== given[i]) return undefined;
    }
    return params;
  };
}

/** A part of a path without its percent signs; a malformed one stays as it is and matches no name. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
