/**
 * `nibble-llm/batch`: OpenAI's batch files, for programs that share the requests out among machines on their own.
 * @module
 */
export { answerRequest, type SentRequest } from "../batch/answer.ts";
export type { IdentifiedRequest } from "../batch/identity.ts";
export { type PlacedRequest, readRequests } from "../batch/read.ts";
export type { BatchBody, BatchRequest } from "../batch/request.ts";
export { type Outcome, resultLine } from "../batch/result.ts";
