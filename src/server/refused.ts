/**
 * Endpoints that other servers have and this one has not.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import type { Route } from "./route.ts";

/** A route that says so. @param instead a clause that says what to do */
export function refused(method: Route["method"], path: string, instead: string): Route {
  const respond = (): never => {
    throw new NibbleError("not_supported", `${path}: this endpoint is not supported; ${instead}`);
  };
  return { method, path, respond };
}
