/**
 * States of recurrent layers: what a sequence keeps of all its tokens so far, beside its pages. A state is large and is
 * overwritten with each token, so one for an earlier position must have been kept as a copy. Copies are kept at the borders
 * of pages, and after drafted tokens; the slots for them are few, and the least recently used one goes first. A sequence
 * can only be shortened to a position whose state is kept. Nothing else is lost: the tokens after it are computed again.
 * @module
 */
import { NibbleError } from "../base/errors.ts";
import { PAGE_TOKENS } from "./layout.ts";

/** The state after the first `position` tokens. Sequences may share it, and it is not changed while they do. */
export interface State {
  readonly slot: number;
  position: number;
  /** Sequences that hold it. */
  holders: number;
  /** The batch in which it was last used. */
  used: number;
  /** Whether it is kept only until the drafted tokens after it are accepted or dropped. */
  draft: boolean;
}

/** A sequence with states. */
export interface StateHolder {
  readonly length: number;
  /** By position, ascending. The last one may be at `length`: it is then the current one. */
  states: State[];
  /** Whether the sequence waits to be continued; the others may then take its slots. */
  readonly idle: boolean;
}

/** The state after batch row `row` of the sequence's own rows is copied to `address`. */
export interface Snapshot {
  readonly row: number;
  readonly address: number;
}

/** Where the kernels find and change a sequence's state in a batch, and the copies that they make. */
export interface ReservedState {
  readonly address: number;
  readonly snapshots: readonly Snapshot[];
}

export interface StateRegion {
  /** Where the slots begin. */
  readonly base: number;
  /** Bytes of a slot; 0 for a model without recurrent layers, of which every position is known. */
  readonly bytes: number;
  /** Number of slots. */
  readonly count: number;
}

export class StatePool {
  readonly bytes: number;
  /** Most drafts of a sequence in a batch after which its states are kept. */
  readonly maxDrafts: number;
  private readonly memory: WebAssembly.Memory;
  private readonly base: number;
  private readonly count: number;
  /** Copies at borders that a sequence keeps at most. */
  private readonly quota: number;
  private readonly freeSlots: number[] = [];
  private readonly holders = new Set<StateHolder>();
  /** The states that the kernels change, while a batch is being prepared. */
  private readonly working = new Map<StateHolder, State>();
  private batch = 0;

  constructor(memory: WebAssembly.Memory, { base, bytes, count }: StateRegion) {
    this.memory = memory;
    this.base = base;
    this.bytes = bytes;
    this.count = count;
    this.quota = Math.max(1, Math.floor(count / 4));
    this.maxDrafts = bytes > 0 ? this.quota : Infinity;
    for (let slot = count - 1; slot >= 0; slot--) this.freeSlots.push(slot);
  }

  /** How many more sequences can be in use. */
  get free(): number {
    if (this.bytes === 0) return Infinity;
    let free = this.count;
    for (const { idle } of this.holders) if (!idle) free--;
    return free;
  }

  /**
   * Takes a sequence in, or makes room for an idle one that is continued. Every sequence in use has a slot for sure.
   * @throws NibbleError `context_full` where all slots belong to sequences in use
   */
  enter(holder: StateHolder): void {
    if (this.free === 0)
      throw new NibbleError(
        "context_full",
        `all ${this.count} states of recurrent layers are in use: dispose sessions, or load with more maxStates`,
      );
    this.holders.add(holder);
  }

  /** Gives back all slots of a sequence that ends. */
  leave(holder: StateHolder): void {
    this.keep(holder, () => false);
    this.holders.delete(holder);
  }

  /** The largest position up to `length` whose state a sequence holds. It holds that of position 0, which is zeros. */
  known({ states }: StateHolder, length: number): number {
    if (this.bytes === 0) return length;
    return states.findLast(({ position }) => position <= length)?.position ?? 0;
  }

  /** Drops the states beyond `length`. */
  shorten(holder: StateHolder, length: number): void {
    this.keep(holder, ({ position }) => position <= length);
  }

  /** Lets `copy`, which holds none, share the states of the first `length` tokens of `source`. */
  share(source: StateHolder, copy: StateHolder, length: number): void {
    copy.states = source.states.filter(({ position }) => position <= length);
    for (const state of copy.states) {
      state.holders++;
      state.used = this.batch;
    }
  }

  /**
   * Gives each sequence of a batch a state that the kernels may change, and chooses the rows after which it is copied.
   * @param items sequences, the number of tokens that are appended to each, and how many of these are drafts
   * @returns for each sequence the address of its state, and the copies
   */
  reserve(
    items: readonly { readonly sequence: StateHolder; readonly count: number; readonly drafts: number }[],
  ): ReservedState[] {
    if (this.bytes === 0) return items.map(() => ({ address: 0, snapshots: [] }));
    this.batch++;
    // Slots that a sequence must have are taken first, since a copy of this batch cannot be given up for them.
    for (const { sequence, count } of items) if (count > 0) this.working.set(sequence, this.writable(sequence));
    const reserved = items.map(({ sequence, count, drafts }) => {
      const state = this.working.get(sequence);
      if (!state) return { address: 0, snapshots: [] };
      const snapshots = this.snapshots(sequence, state, { count, drafts });
      sequence.states = [...sequence.states.filter((each) => each !== state), state];
      state.position = sequence.length + count;
      return { address: this.address(state.slot), snapshots };
    });
    this.working.clear();
    return reserved;
  }

  /** A copy of a state. */
  save({ slot }: State): Uint8Array {
    return this.view(slot).slice();
  }

  /** Gives an empty sequence a state. */
  restore(holder: StateHolder, position: number, source: Uint8Array): void {
    const slot = this.take()!;
    this.view(slot).set(source);
    this.add(holder, slot, position);
  }

  /** The current state of a sequence, in a slot that no other one reads. */
  private writable(holder: StateHolder): State {
    this.keep(holder, ({ draft, position }) => !draft || position === holder.length);
    const current = holder.states.at(-1);
    if (!current) {
      const slot = this.take()!;
      this.view(slot).fill(0);
      return this.add(holder, slot, 0);
    }
    current.used = this.batch;
    current.draft = false;
    if (current.holders === 1) return current;
    const slot = this.take();
    if (slot === undefined) return this.takeOver(holder, current);
    this.view(slot).set(this.view(current.slot));
    if (!isBorder(current.position)) this.keep(holder, (state) => state !== current);
    return this.add(holder, slot, current.position);
  }

  /** Without a slot for a copy, the other sequences that share a state are idle ones: they lose it. */
  private takeOver(holder: StateHolder, state: State): State {
    for (const other of this.holders) if (other !== holder) this.keep(other, (each) => each !== state);
    return state;
  }

  /** Chooses the copies of a sequence's states that are kept from now on. */
  private snapshots(
    holder: StateHolder,
    current: State,
    { count, drafts }: { readonly count: number; readonly drafts: number },
  ): Snapshot[] {
    const { length } = holder;
    const end = length + count;
    const held = new Set<number>();
    for (const state of holder.states) if (state !== current) held.add(state.position);
    const borders: number[] = [];
    for (let p = Math.ceil(length / PAGE_TOKENS) * PAGE_TOKENS; p < end; p += PAGE_TOKENS) if (p > 0) borders.push(p);
    const wanted = keptBorders([...held, ...borders], this.quota);
    this.keep(holder, (state) => state === current || !isBorder(state.position) || wanted.has(state.position));
    const result: Snapshot[] = [];
    const copy = (position: number, draft: boolean): void => {
      const slot = held.has(position) ? undefined : this.take(true);
      if (slot === undefined) return;
      held.add(position);
      this.add(holder, slot, position, draft);
      if (position === length) this.view(slot).set(this.view(current.slot));
      else result.push({ row: position - length - 1, address: this.address(slot) });
    };
    for (const position of borders) if (wanted.has(position)) copy(position, false);
    for (let i = 0; i < Math.min(drafts, this.quota); i++) copy(end - drafts + i, true);
    holder.states.sort((a, b) => a.position - b.position);
    return result;
  }

  private add(holder: StateHolder, slot: number, position: number, draft = false): State {
    const state = { slot, position, holders: 1, used: this.batch, draft };
    holder.states.push(state);
    return state;
  }

  /** Gives up a sequence's states that do not pass. */
  private keep(holder: StateHolder, passes: (state: State) => boolean): void {
    const dropped = holder.states.filter((state) => !passes(state));
    if (dropped.length === 0) return;
    holder.states = holder.states.filter(passes);
    for (const state of dropped) if (--state.holders === 0) this.freeSlots.push(state.slot);
  }

  /**
   * A free slot. If there is none, the least recently used state goes that no sequence in use continues from.
   * @param optional leave the states that this batch uses
   */
  private take(optional = false): number | undefined {
    if (this.freeSlots.length === 0) this.evict(optional);
    return this.freeSlots.pop();
  }

  private evict(optional: boolean): void {
    let victim: State | undefined;
    const pinned = new Set<State>();
    for (const holder of this.holders) {
      const current = this.working.get(holder) ?? holder.states.findLast(({ position }) => position >= holder.length);
      if (current && !holder.idle) pinned.add(current);
    }
    for (const { states } of this.holders) {
      for (const state of states) {
        if (pinned.has(state) || (optional && state.used === this.batch)) continue;
        if (!victim || state.used < victim.used) victim = state;
      }
    }
    if (victim) for (const holder of this.holders) this.keep(holder, (state) => state !== victim);
  }

  private address(slot: number): number {
    return this.base + slot * this.bytes;
  }

  private view(slot: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.address(slot), this.bytes);
  }
}

const isBorder = (position: number): boolean => position % PAGE_TOKENS === 0;

/**
 * The borders of pages whose states a sequence keeps: the last one, and of the others those that are multiples of the
 * largest powers of two. So they lie closer together where the sequence ends, and a shared beginning stays near one.
 */
export function keptBorders(positions: readonly number[], quota: number): Set<number> {
  const borders = positions.filter((position) => position > 0 && isBorder(position));
  const last = Math.max(...borders);
  const rank = (position: number): number => (position === last ? Infinity : position & -position);
  return new Set(borders.sort((a, b) => rank(b) - rank(a) || b - a).slice(0, quota));
}
