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

export interface FoundRoute {
  readonly route: Route;
  /** The values of the `:name` parts of its path. */
  readonly params: Readonly<Record<string, string>>;
}

export type FindRoute = (pathname: string) => FoundRoute | undefined;

/**
 * Finds the route of a path, with or without `/v1` before it and slashes behind it, as llama-server's paths and clients
 * that join addresses have them. A path that is a route as it stands comes first.
 */
export function routeFinder(settings: Settings): FindRoute {
  const find = exactFinder(routesOf(settings));
  return (pathname) => {
    const path = pathname.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
    return find(path) ?? (path === "/" ? undefined : find(path.startsWith("/v1/") ? path.slice(3) : `/v1${path}`));
  };
}

function routesOf({ page }: Settings): Route[] {
  const routes = [...OPENAI_ROUTES, ...ANTHROPIC_ROUTES, ...LLAMA_SERVER_ROUTES, ...OLLAMA_ROUTES, ...MODEL_ROUTES];
  // A browser has no key for a page.
  if (page) routes.push({ method: "GET", path: "/", open: true, respond: ({ request }) => page(request) });
  return routes;
}

function exactFinder(routes: readonly Route[]): FindRoute {
  const exact = new Map(routes.map((route) => [route.path, route]));
  const patterns = routes.filter(({ path }) => path.includes("/:")).map((route) => ({ route, match: matcher(route) }));
  return (pathname) => {
    const route = exact.get(pathname);
    if (route) return { route, params: {} };
    for (const { route, match } of patterns) {
      const params = match(pathname);
      if (params) return { route, params };
    }
    return undefined;
  };
}

/** The values of a path's `:name` parts, or undefined where the path is another one. */
function matcher({ path }: Route): (pathname: string) => Record<string, string> | undefined {
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
