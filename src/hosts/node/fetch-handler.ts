/**
 * The handlers that answer requests.
 * @module
 */

/** A function from a request to its response, as `createHandler` makes it. */
export type FetchHandler = (request: Request) => Promise<Response>;
