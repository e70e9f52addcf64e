/** Files behind URLs: sequential reads share one request, others send `Range`; wrong answers of a server are errors. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { responseSource, urlSource } from "../../src/io/url-source.ts";

const size = 5_000_000;
const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 24));
const at = (offset: number, length: number): Uint8Array => new Uint8Array(bytes.subarray(offset, offset + length));

let server: Server;
let url: URL;
/** The Range headers of the requests; "" where there was none. */
let asked: string[];
let etag: string;

/** The answer of each path; `from` is the start of the range asked for. */
const PATHS: Record<string, (response: ServerResponse, from: number, range: string | undefined) => void> = {
  "/file": (response, from) => {
    response.writeHead(from ? 206 : 200, {
      etag,
      "content-length": size - from,
      ...(from && { "content-range": `bytes ${from}-${size - 1}/${size}` }),
    });
    response.end(bytes.subarray(from));
  },
  "/no-ranges": (response) => void response.writeHead(200, { "content-length": size }).end(bytes),
  "/other-range": (response, from) => {
    const range = `bytes ${from + 1}-${size - 1}/${size}`;
    response.writeHead(from ? 206 : 200, { "content-length": size - from, ...(from && { "content-range": range }) });
    response.end(bytes.subarray(from));
  },
  // Compresses a whole file, as many servers do, and sends ranges as they are.
  "/packed": (response, from, range) => {
    const packed = gzipSync(bytes);
    if (!range)
      return void response.writeHead(200, { "content-length": packed.length, "content-encoding": "gzip" }).end(packed);
    response.writeHead(206, { "content-length": size - from, "content-range": `bytes ${from}-${size - 1}/${size}` });
    response.end(bytes.subarray(from));
  },
  "/always-packed": (response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(bytes)),
  "/chunked": (response) => void response.writeHead(200).end(bytes),
  "/ranges-refused": (response, _from, range) =>
    void (range ? response.writeHead(416).end() : response.writeHead(200).end(bytes)),
  "/part": (response, _from, range) => {
    if (!range) return void response.writeHead(200).end(bytes);
    response.writeHead(206, { "content-length": 1000, "content-range": `bytes 0-999/${size}` });
    response.end(bytes.subarray(0, 1000));
  },
  "/chunked-and-cut": (response) => {
    response.writeHead(200);
    response.write(bytes.subarray(0, 10_000), () => response.destroy());
  },
  "/cut": (response) => {
    response.writeHead(200, { "content-length": size });
    response.write(bytes.subarray(0, 10_000), () => response.destroy());
  },
};

function answer({ url: path = "", headers }: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  asked.push(headers.range ?? "");
  const known = PATHS[path];
  if (!known) return void response.writeHead(404).end();
  // A file that has changed is sent whole.
  known(response, headers["if-range"] && headers["if-range"] !== etag ? 0 : from, headers.range);
}

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  asked = [];
  etag = '"one"';
});

it("front to back is one request; going back and far ahead are ranges", async () => {
  const source = await urlSource(new URL("/file", url));
  expect(source.size).toBe(size);
  expect(await source.read(0, 10)).toEqual(at(0, 10));
  expect(await source.read(300_000, 10)).toEqual(at(300_000, 10));
  expect(asked).toEqual([""]);
  expect(await source.read(3_000_000, 10)).toEqual(at(3_000_000, 10));
  expect(await source.read(20, 10)).toEqual(at(20, 10));
  expect(asked).toEqual(["", "bytes=3000000-", "bytes=20-"]);
  await source.close?.();
});

it("parts of a file from before and after a change are not mixed", async () => {
  const source = await urlSource(new URL("/file", url));
  await source.read(100, 10);
  etag = '"two"';
  await expect(source.read(4_000_000, 10)).rejects.toMatchObject({ code: "io_error", message: /206.*got status 200/ });
});

it.each(["/no-ranges", "/other-range"])("%s: an answer with another range is refused", async (path) => {
  const source = await urlSource(new URL(path, url));
  expect(await source.read(0, 10)).toEqual(at(0, 10));
  await expect(source.read(4_000_000, 10)).rejects.toMatchObject({ code: "io_error" });
  await source.close?.();
});

it("a file that is not there: missing_file", async () => {
  await expect(urlSource(new URL("/missing", url))).rejects.toMatchObject({ code: "missing_file" });
});

it.each([
  ["/packed", ["", "bytes=0-", "bytes=3000000-", "bytes=20-"]], // the range is not compressed
  ["/always-packed", ["", "bytes=0-"]], // the whole body is kept
  ["/chunked", ["", "bytes=0-"]],
  ["/ranges-refused", ["", "bytes=0-", ""]],
  ["/part", ["", "bytes=0-", ""]],
])("%s: a server that does not say the length at once", async (path, requests) => {
  const source = await urlSource(new URL(path, url));
  expect(source.size).toBe(size);
  expect(await source.read(3_000_000, 10)).toEqual(at(3_000_000, 10));
  expect(await source.read(20, 10)).toEqual(at(20, 10));
  expect(asked.slice(0, requests.length)).toEqual(requests);
  await source.close?.();
});

it("a response whose length is unknown is read to its end", async () => {
  const source = await responseSource(await fetch(new URL("/always-packed", url)));
  expect([source.size, await source.read(7, 3)]).toEqual([size, at(7, 3)]);
  await expect(responseSource(await fetch(new URL("/chunked-and-cut", url)))).rejects.toMatchObject({
    code: "io_error",
  });
});

it("a cut connection, and a server that does not exist", async () => {
  const source = await urlSource(new URL("/cut", url));
  await expect(source.read(0, 20_000)).rejects.toMatchObject({ code: "io_error" });
  await expect(urlSource(new URL("http://127.0.0.1:1/"))).rejects.toMatchObject({ code: "io_error" });
});
