/**
 * Reads a model that was cut into files of at most 25 MiB, the limit of a static asset: NAME.part0, NAME.part1, ...
 *
 *   split -b 20M -d -a 1 model.gguf assets/model.gguf.part
 * @module
 */
import { NibbleError, type StreamedFile } from "nibble-llm";

type Assets = { fetch(url: string): Promise<Response> };

/** A Worker may have this many responses open at once; a larger model would not fit into its memory anyway. */
const MAX_PARTS = 6;

/** One stream over all parts. Their lengths are read first, since the memory is planned before a weight is read. */
export async function openAssets(assets: Assets, name: string): Promise<StreamedFile> {
  const parts: Response[] = [];
  let size = 0;
  for (let i = 0; i < MAX_PARTS; i++) {
    const part = await assets.fetch(`https://assets/${name}.part${i}`);
    if (!part.ok) {
      await part.body?.cancel();
      break;
    }
    size += Number(part.headers.get("content-length"));
    parts.push(part);
  }
  if (parts.length === 0) throw new NibbleError("missing_file", `there is no asset ${name}.part0`);
  return { size, body: joined(parts, size) };
}

/** Workers' own stream, which can be read into a buffer of the reader; a TransformStream cannot. */
declare const FixedLengthStream: new (size: number) => TransformStream<Uint8Array, Uint8Array>;

function joined(parts: readonly Response[], size: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(size);
  void (async () => {
    for (const { body } of parts) await body!.pipeTo(writable, { preventClose: true });
    await writable.close();
  })().catch(() => {}); // the error also reaches the reader of `readable`
  return readable;
}
