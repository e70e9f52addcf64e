/**
 * `fetch` for answers that may take hours: Node's own gives up when no header has come for 300 seconds, and an answer that is
 * not streamed has none before its end.
 * @module
 */
import type { ClientRequest, IncomingMessage } from "node:http";

/** Milliseconds without traffic after which the system asks whether the other machine is still there. */
const KEEP_ALIVE_MS = 30_000;

/** Sends a request whose body is a text, and waits as long as the connection lives. Redirects are not followed. */
export async function patientFetch(request: Request): Promise<Response> {
  const { request: send } = await (request.url.startsWith("https:") ? import("node:https") : import("node:http"));
  const body = request.body ? await request.text() : undefined;
  const { method, signal } = request;
  const headers = Object.fromEntries(request.headers);
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const outgoing = send(request.url, {
    method,
    signal,
    headers: { ...headers, ...length },
    agent: await agentOf(request.url),
  });
  outgoing.on("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
  outgoing.end(body);
  const incoming = await answered(outgoing);
  const bytes = await bodyOf(incoming);
  const status = incoming.statusCode!;
  const hasBody = status !== 204 && status !== 304;
  return new Response(hasBody ? bytes : null, { status, headers: headersOf(incoming) });
}

const agents = new Map<string, import("node:http").Agent>();

/** Connections are used again. */
async function agentOf(url: string): Promise<import("node:http").Agent> {
  const { protocol } = new URL(url);
  const { Agent } = protocol === "https:" ? await import("node:https") : await import("node:http");
  const agent = agents.get(protocol) ?? new Agent({ keepAlive: true });
  agents.set(protocol, agent);
  return agent;
}

function answered(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
  });
}

/** @throws Error where the connection ends before the body does */
async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  if (!incoming.complete) throw new Error("the connection was closed before the answer ended");
  return new Uint8Array(Buffer.concat(chunks));
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  return headers;
}
