/**
 * OpenAI's /v1/files.
 * @module
 */
import { NibbleError } from "../../../base/errors.ts";
import { invalid } from "../../../base/fields.ts";
import { once } from "../../../batch/store.ts";
import type { Exchange } from "../../route.ts";
import { pageOf } from "../page.ts";
import { readUpload } from "./upload.ts";

/** POST /v1/files. @throws NibbleError as `readUpload` and `FileLibrary.create` say */
export async function uploadFile(exchange: Exchange): Promise<object> {
  const { bytes, ...facts } = await readUpload(exchange);
  return exchange.server.files.create({ ...facts, owner: exchange.caller }, once(bytes));
}

/** GET /v1/files, newest first unless `order` says otherwise. @throws NibbleError `invalid_request` */
export async function listFiles({ server, caller, url: { searchParams: query } }: Exchange): Promise<object> {
  const purpose = query.get("purpose");
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw invalid("order", '"asc" or "desc"', order);
  const files = (await server.files.list(caller)).filter((file) => purpose === null || file.purpose === purpose);
  return pageOf(order === "asc" ? files : files.reverse(), query, { most: 10_000, byDefault: 10_000 });
}

/** GET /v1/files/:id. @throws NibbleError `not_found` */
export function oneFile({ server, caller, params }: Exchange): Promise<object> {
  return server.files.get(params.id!, caller);
}

/** GET /v1/files/:id/content: the bytes as they are. @throws NibbleError `not_found` */
export async function fileContent({ server, caller, params }: Exchange): Promise<Response> {
  const { id, bytes } = await server.files.get(params.id!, caller);
  const chunks = server.files.read(id)[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
  return new Response(body, {
    // A browser must not take a user's file for a page of this server.
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(bytes),
      "content-disposition": "attachment",
      "x-content-type-options": "nosniff",
    },
  });
}

/** DELETE /v1/files/:id. @throws NibbleError `not_found`; `invalid_request` for the input of a batch that runs */
export async function deleteFile({ server, caller, params }: Exchange): Promise<object> {
  const { id } = await server.files.get(params.id!, caller);
  const user = await server.batches.userOf(id);
  if (user !== undefined)
    throw new NibbleError("invalid_request", `the batch ${user} reads this file; cancel it first`, { param: "id" });
  await server.files.delete(id);
  return { id, object: "file", deleted: true };
}
