/**
 * Anthropic's paths.
 * @module
 */
import { generation, quick } from "../endpoint.ts";
import type { Route } from "../route.ts";
import { countTokens, prepareMessage } from "./messages/endpoint.ts";

export const ANTHROPIC_ROUTES: readonly Route[] = [
  { method: "POST", path: "/v1/messages", respond: generation(prepareMessage) },
  { method: "POST", path: "/v1/messages/count_tokens", respond: quick(countTokens) },
];
