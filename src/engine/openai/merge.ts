/**
 * Several streams as one.
 * @module
 */

/**
 * Items as they come, each with the number of its stream. Streams that have something take turns. All are left when the
 * reader leaves or one of them fails.
 */
export async function* merge<T>(streams: readonly AsyncIterable<T>[]): AsyncGenerator<[stream: number, item: T]> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  const next = async (index: number) => ({ index, result: await iterators[index]!.next() });
  /** An error is told to whoever asks next; until then, or if nobody does, it is no unhandled rejection. */
  const ask = (index: number) => {
    const item = next(index);
    item.catch(() => {});
    return item;
  };
  // `race` gives the first that is ready: who was served goes to the end.
  const pending = new Map(iterators.map((_, index) => [index, ask(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      pending.delete(index);
      if (result.done) continue;
      pending.set(index, ask(index));
      yield [index, result.value];
    }
  } finally {
    await Promise.all([...pending.keys()].map((index) => iterators[index]!.return?.()));
  }
}
