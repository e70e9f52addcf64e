/**
 * A model cut into files of at most 25 MiB, which is what a static asset may have: NAME.part0, NAME.part1, ...
 *
 *   split -b 20M -d -a 1 model.gguf assets/model.gguf.part
 * @module
 */
import { NibbleError, type StreamedFile } from "nibble-llm";

type Assets = { fetch(url: string): Promise<Response> };

/** As many responses may be open at once; their memory would not suffice for more. */
const MAX_PARTS = 6;

/** One stream over all parts. They are asked for their lengths first, for the memory is planned before a weight is read. */
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
  if (parts.length === 0) throw new NibbleError("missing_file", `expected the asset ${name}.part0`);
  return { size, body: joined(parts, size) };
}

/** The parts one after the other. Unlike a TransformStream, this one of Workers can be read into a buffer of the reader's. */
declare const FixedLengthStream: new (size: number) => TransformStream<Uint8Array, Uint8Array>;

function joined(parts: readonly Response[], size: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(size);
  void (async () => {
    for (const { body } of parts) await body!.pipeTo(writable, { preventClose: true });
    await writable.close();
  })().catch(() => {}); // the reader of `readable` is told
  return readable;
}
