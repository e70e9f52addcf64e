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
  // `race` gives the first that is ready: who was served goes to the end.
  const pending = new Map(iterators.map((_, index) => [index, next(index)]));
  try {
    while (pending.size > 0) {
      const { index, result } = await Promise.race(pending.values());
      pending.delete(index);
      if (result.done) continue;
      pending.set(index, next(index));
      yield [index, result.value];
    }
  } finally {
    for (const promise of pending.values()) promise.catch(() => {}); // the error that is told came first
    await Promise.all([...pending.keys()].map((index) => iterators[index]!.return?.()));
  }
}
