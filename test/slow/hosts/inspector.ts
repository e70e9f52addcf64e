/**
 * Reads the memory use of an isolate through V8's inspector.
 * @module
 */

/** Sizes in bytes, without WebAssembly memory. */
export interface HeapUsage {
  /** Bytes of objects on the heap, including garbage that is not yet collected; `totalSize` is the size of the heap. */
  readonly usedSize: number;
  readonly totalSize: number;
  /** ArrayBuffers. */
  readonly backingStorageSize: number;
}

export interface Inspector {
  usage(): Promise<HeapUsage>;
  close(): void;
}

/** Connects to the worker named `main` of a workerd that has `--inspector-addr`. */
export async function inspect(port: number): Promise<Inspector> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/main`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no inspector at port ${port}`));
  });
  const waiting = new Map<number, (usage: HeapUsage) => void>();
  let calls = 0;
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data as string) as { id?: number; result: HeapUsage };
    if (id !== undefined) waiting.get(id)?.(result);
  };
  return {
    usage: () =>
      new Promise((resolve) => {
        waiting.set(++calls, resolve);
        socket.send(JSON.stringify({ id: calls, method: "Runtime.getHeapUsage" }));
      }),
    close: () => socket.close(),
  };
}
