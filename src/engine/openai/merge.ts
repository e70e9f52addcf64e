/**
 * Merges several streams into one.
 * @module
 */

/** Streams that run at once. Each answer in progress takes buffers of its own. */
const MAX_RUNNING = 64;

/**
 * Yields items as they come, each with the number of its stream. Streams that have an item ready take turns. A stream
 * is started when fewer than `MAX_RUNNING` others run. All are left when the reader leaves or one of them fails.
 */
export async function* merge<T>(
  starts: readonly (() => AsyncIterable<T>)[],
): AsyncGenerator<[stream: number, item: T], undefined> {
  const iterators: AsyncIterator<T>[] = [];
  const next = async (index: number) => ({ index, result: await iterators[index]!.next() });
  /**
   * Asks a stream for its next item. The reader gets an error when it asks next; the empty handler keeps the host from
   * reporting it as unhandled before.
   */
  const ask = (index: number) => {
    const item = next(index);
    item.catch(() => {});
    return item;
  };
  // `race` gives the first one that is ready, so a stream that was read goes to the end.
  const pending = new Map<number, ReturnType<typeof next>>();
  const begin = (): void => {
    const index = iterators.length;
    if (index === starts.length) return;
    iterators.push(starts[index]!()[Symbol.asyncIterator]());
    pending.set(index, ask(index));
  };
  try {
    while (iterators.length < Math.min(starts.length, MAX_RUNNING)) begin();
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      pending.delete(index);
      if (result.done) {
        begin();
        continue;
      }
      pending.set(index, ask(index));
      yield [index, result.value];
    }
  } finally {
    await Promise.all([...pending.keys()].map((index) => iterators[index]!.return?.()));
  }
}
