/**
 * A file server with the faults that real servers and networks have.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The faults of one answer. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** The bytes to send instead of the file. */
  readonly body?: Uint8Array;
  /** The bytes of the body after which the connection ends. */
  readonly cut?: number;
  /** The bytes of the body after which the server sends nothing more and leaves the connection open. */
  readonly stall?: number;
  /** The number of excess bytes; Content-Length includes them. */
  readonly extra?: number;
  /** The answer is 200 with the whole file, whatever range was asked for. */
  readonly ignoreRange?: boolean;
  /** The number of bytes by which the body starts too early; Content-Range is right. */
  readonly shift?: number;
  readonly chunked?: boolean;
  /** Delay in milliseconds before each 64 KiB. */
  readonly slow?: number;
}

export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
}

export class FaultServer {
  readonly files = new Map<string, Uint8Array>();
  readonly seen: SeenRequest[] = [];
  /** The sum of the bytes of all bodies sent. */
  sent = 0;
  etag: string | undefined = '"one"';
  /** Chooses the fault of a request. `index` is the number of earlier requests. */
  fault: (request: SeenRequest, index: number) => Fault | undefined = () => undefined;
  url = "";
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  static async start(): Promise<FaultServer> {
    const server = new FaultServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends all faults and resets the counts. */
  reset(): void {
    this.seen.length = 0;
    this.sent = 0;
    this.etag = '"one"';
    this.fault = () => undefined;
  }

  async #answer({ url, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url!;
    const ifRange = headers["if-range"] as string | undefined;
    const request = { path, range: headers.range, ifRange, authorization: headers.authorization };
    const fault = this.fault(request, this.seen.length) ?? {};
    this.seen.push(request);
    const file = fault.body ?? this.files.get(path.split("?")[0]!);
    if (!file) return void response.writeHead(fault.status ?? 404, fault.headers).end("<html>not here</html>");
    const asked = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
    const whole = !asked || fault.ignoreRange || (ifRange !== undefined && ifRange !== this.etag);
    const start = whole ? 0 : Number(asked[1]);
    const end = whole ? file.length : Math.min(file.length, Number(asked[2]) + 1);
    const shift = Math.min(start, fault.shift ?? 0);
    const body = new Uint8Array(end - start + (fault.extra ?? 0));
    body.set(file.subarray(start - shift, end - shift));
    response.writeHead(fault.status ?? (whole ? 200 : 206), {
      ...(!fault.chunked && { "content-length": String(body.length) }),
      ...(this.etag !== undefined && { etag: this.etag }),
      ...(!whole && { "content-range": `bytes ${start}-${end - 1}/${file.length}` }),
      ...fault.headers,
    });
    await this.#send(response, body, fault);
  }

  async #send(response: ServerResponse, body: Uint8Array, { cut, stall, slow }: Fault): Promise<void> {
    const end = Math.min(body.length, cut ?? stall ?? body.length);
    for (let at = 0; at < end; at += 65_536) {
      const part = body.subarray(at, Math.min(end, at + 65_536));
      this.sent += part.length;
      if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, slow));
      if (response.destroyed) return;
      if (!response.write(part)) await drained(response);
    }
    if (stall !== undefined) return;
    if (cut === undefined || cut >= body.length) response.end();
    else setTimeout(() => response.destroy(), 5); // what was written may leave first
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const ready = (): void => {
      response.off("drain", ready).off("close", ready);
      resolve();
    };
    response.on("drain", ready).on("close", ready);
  });
}

/** Bytes that cannot be compressed and do not repeat, after the magic of a GGUF. */
export function fileOf(bytes: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  const file = new Uint8Array(words.buffer, 0, bytes);
  file.set([0x47, 0x47, 0x55, 0x46]);
  return file;
}
