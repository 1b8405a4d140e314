/**
 * Finds addresses that are free over a span of time, as the memory plan needs them for each tensor.
 *
 * A tree over the times keeps, at each node, the addresses that are taken during all of its times and those that are
 * taken during any of them, as sorted runs that are joined where they touch. A query or a placement visits a number of
 * nodes that grows with the logarithm of the times, so the work for one tensor hardly grows with the number of tensors.
 */

/** Sorted runs of addresses, from `starts[i]` up to `ends[i]`, that neither meet nor touch. */
class Runs {
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  /** The first run that ends behind an address. */
  after(address: number): number {
    let [low, high] = [0, this.ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ends[middle] ?? 0) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  add(start: number, end: number): void {
    // Runs that touch the new one are joined with it, so the first to join may end where it starts.
    const first = this.after(start - 1);
    let last = first;
    let [from, to] = [start, end];
    while (last < this.starts.length && (this.starts[last] ?? 0) <= end) {
      from = Math.min(from, this.starts[last] ?? from);
      to = Math.max(to, this.ends[last] ?? to);
      last++;
    }
    this.starts.splice(first, last - first, from);
    this.ends.splice(first, last - first, to);
  }
}

/** Addresses and times are whole numbers; a run of times is given by its first and its last. */
export class FreeSpace {
  /** Runs looked at so far, by which tests measure the work of a plan. */
  looked = 0;
  readonly #leaves: number;
  /** By node: taken during all of its times, and during any of them. Node 1 is the root, 2n and 2n + 1 are below n. */
  readonly #always: (Runs | undefined)[] = [];
  readonly #ever: (Runs | undefined)[] = [];

  /** @param times how many points of time there are, numbered from 0 */
  constructor(times: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, times)));
  }

  /** The lowest address from which `size` addresses are free at all times from `from` to `to`. */
  lowest(from: number, to: number, size: number): number {
    const met: Runs[] = [];
    this.#collect(1, 0, this.#leaves - 1, from, to, met);
    let address = 0;
    for (let settled = false; !settled;) {
      settled = true;
      for (const runs of met) {
        for (let i = runs.after(address); (runs.starts[i] ?? Infinity) < address + size; i++) {
          this.looked++;
          address = runs.ends[i] ?? address;
          settled = false;
        }
      }
    }
    return address;
  }

  take(from: number, to: number, address: number, size: number): void {
    this.#take(1, 0, this.#leaves - 1, from, to, address, address + size);
  }

  #collect(node: number, first: number, last: number, from: number, to: number, met: Runs[]): void {
    if (to < first || last < from) return;
    this.looked++;
    const inside = from <= first && last <= to;
    const runs = inside ? this.#ever[node] : this.#always[node];
    if (runs) met.push(runs);
    if (inside || !this.#ever[node]) return;
    const middle = (first + last) >>> 1;
    this.#collect(2 * node, first, middle, from, to, met);
    this.#collect(2 * node + 1, middle + 1, last, from, to, met);
  }

  #take(
    node: number,
    first: number,
    last: number,
    from: number,
    to: number,
    start: number,
    end: number,
  ): void {
    if (to < first || last < from) return;
    (this.#ever[node] ??= new Runs()).add(start, end);
    if (from <= first && last <= to) {
      (this.#always[node] ??= new Runs()).add(start, end);
      return;
    }
    const middle = (first + last) >>> 1;
    this.#take(2 * node, first, middle, from, to, start, end);
    this.#take(2 * node + 1, middle + 1, last, from, to, start, end);
  }
}
