/**
 * The frames of a matcher: equal frames are one object.
 * @module
 */
import { checkLimit } from "../limits.ts";
import { type Frame, HALTED, type Taken } from "./state.ts";

/** The parts that define a frame. */
interface FrameParts extends Pick<Frame, "backs" | "frames" | "outermost"> {
  readonly taken?: Taken | undefined;
  readonly isItem?: boolean;
}

export class FrameStore {
  readonly outermost: Frame = newFrame(0, { backs: [], frames: [], outermost: true });
  readonly #limit: number;
  readonly #known = new Map<string, Frame>();
  #nextId = 1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  /** @throws NibbleError `invalid_argument` if there are too many frames */
  intern(parts: FrameParts): Frame {
    const { backs, frames, outermost, taken, isItem = false } = parts;
    const callers = backs.map((node, i) => `${node}:${frames[i]!.id}`).join();
    const key = `${outermost} ${callers} ${isItem} ${taken?.key ?? ""}`;
    const known = this.#known.get(key);
    if (known) return known;
    checkLimit("grammar: depth", this.#known.size, this.#limit);
    const frame = newFrame(this.#nextId++, parts);
    this.#known.set(key, frame);
    return frame;
  }

  /** The frame of a list whose items must differ, after one more item. */
  take(list: Frame, text: string): Frame {
    const texts = new Set([...list.taken!.texts, text].sort());
    return this.intern({ ...list, taken: { texts, key: JSON.stringify([...texts]) } });
  }

  /** A frame in such a list, with other items that are taken. */
  retaken(frame: Frame, taken: Taken | undefined): Frame {
    if (!frame.inList) return frame;
    const frames = frame.frames.map((caller) => this.retaken(caller, taken));
    return this.intern({ ...frame, frames, taken: frame.taken && taken });
  }

  clear(): void {
    this.#known.clear();
  }
}

function newFrame(id: number, { backs, frames, outermost, taken, isItem = false }: FrameParts): Frame {
  const inItem = isItem || frames.some((frame) => frame.inItem);
  const inList = !inItem && (taken !== undefined || frames.some((frame) => frame.inList));
  const isHalted = inList && (taken === HALTED || frames.some((frame) => frame.isHalted));
  return { id, backs, frames, outermost, taken, isItem, inItem, inList, isHalted };
}
