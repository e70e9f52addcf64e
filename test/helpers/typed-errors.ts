/**
 * A wrapper round public objects that records each error which leaves the library and is neither a NibbleError nor the
 * caller's own.
 */

/** An error that should not have left. */
export interface Escape {
  /** The call, such as `model.completions.create`. */
  readonly call: string;
  readonly error: unknown;
}

export class TypedErrors {
  readonly escapes: Escape[] = [];
  /** Errors that callers' code has thrown, and the reasons of their signals. */
  readonly own = new Set<unknown>();

  /** The value with all functions of it and of what they give watched. */
  watch<T>(value: T, name: string): T {
    if (typeof value === "function") return this.#call(value as (...args: unknown[]) => unknown, name, undefined) as T;
    if (typeof value !== "object" || value === null || !isLive(value)) return value;
    return new Proxy(value, {
      get: (target, key) => {
        const field: unknown = Reflect.get(target, key, target);
        if (typeof field === "function") return this.#call(field as never, `${name}.${String(key)}`, target);
        return this.watch(field, `${name}.${String(key)}`);
      },
    });
  }

  #call(action: (...args: unknown[]) => unknown, name: string, self: unknown): unknown {
    return (...args: unknown[]) => {
      try {
        const result: unknown = action.apply(self, args);
        if (!(result instanceof Promise)) return this.watch(result, `${name}()`);
        return result.then(
          (value) => this.watch(value, `${name}()`),
          (error) => this.#left(name, error),
        );
      } catch (error) {
        return this.#left(name, error);
      }
    };
  }

  #left(call: string, error: unknown): never {
    const isTyped = error instanceof Error && error.name === "NibbleError";
    if (!isTyped && !this.own.has(error)) this.escapes.push({ call, error });
    throw error;
  }
}

/** Plain data is not watched: tests compare it, and reading it calls nothing. */
function isLive(value: object): boolean {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || Array.isArray(value)) return false;
  const methods = [...Object.values(value), ...Object.getOwnPropertyNames(Object.getPrototypeOf(value) ?? {})];
  return Symbol.asyncIterator in value || methods.some((one) => typeof one === "function") || hasMethods(value);
}

function hasMethods(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype && !(value instanceof Map) && !(value instanceof Set);
}
