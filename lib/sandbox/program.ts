import { type BytePath, shownPath } from "./byte_path.ts";
import { type Arch, type SyscallName, syscallNumber } from "./numbers.ts";
import { type Address, addressOf, high, low, PlanData } from "./plan_data.ts";
import { BRANCH, FAIL, PLAN_ADDRESS, PLAN_LIMIT, RECORD_BYTES, STORE, ZERO_OFFSET } from "./plan_layout.ts";
import { UnenforceableError } from "./unenforceable.ts";

export type { Address } from "./plan_data.ts";

/** A place among the records, to be jumped to. */
export type Label = number & { readonly label: unique symbol };

/** A value known now, or the word that will stand at an address when the call is reached. */
export type Argument = number | bigint | Address | { load: Address };

export interface CallOptions {
  /** For the log: what this call is about, and the path it is about. */
  what: string;
  path?: BytePath;
  /** Where its result goes, a word of 8 bytes; on an error that is -errno. */
  into?: Address;
  /** "fail", if nothing is said: the helper reports errno and record, and ends. */
  onError?: "fail" | "ignore" | Label;
  /** Where to go on when the result is 0: in the child, after a clone. */
  onZero?: Label;
}

const RECORD_WORDS = RECORD_BYTES / 4;

/** A number that no kernel knows: a plan whose records run out fails, instead of going on into what follows. */
const NO_SYSCALL = 4095;

/**
 * A list of system calls in the making, with the data they point to. Made anew for each start, on the way of each
 * start: two growing buffers, no object for a record.
 */
export class Program {
  readonly arch: Arch;
  readonly #data = new PlanData();
  #words = new Uint32Array(512 * RECORD_WORDS);
  #records = 0;
  readonly #whats: string[] = [];
  readonly #paths: (BytePath | undefined)[] = [];
  /** Where each label stands, as a record; -1 until it is placed. */
  readonly #places: number[] = [];
  /** Words that wait for a label, each followed by the label. */
  readonly #jumps: number[] = [];
  /** Words that hold an offset among the records, to which the records' address has to be added. */
  readonly #slots: number[] = [];

  constructor(arch: Arch) {
    this.arch = arch;
  }

  bytes(data: Uint8Array): Address {
    return this.#data.bytes(data);
  }

  /** A byte string, with the zero byte at its end that the system wants. */
  text(bytes: BytePath): Address {
    return this.#data.text(bytes);
  }

  /** Zeroed room, for what calls give back. */
  room(size: number): Address {
    return this.#data.room(size);
  }

  /** Words of 8 bytes in a row: arrays of pointers, structures. */
  words(...values: readonly (number | bigint | Address)[]): Address {
    return this.#data.words(values);
  }

  /** The same for many: a call cannot have as many arguments as a program may be told. */
  array(values: readonly (number | bigint | Address)[]): Address {
    return this.#data.words(values);
  }

  /** A field of something made before. */
  after(start: Address, offset: number): Address {
    return start + offset as Address;
  }

  call(name: SyscallName, args: readonly Argument[], options: CallOptions): void {
    if (args.length > 6) throw new Error(`Cannot call ${name} with ${args.length} arguments`);
    // A value of run time is stored into the call's record by a record of its own before it.
    let own = this.#records;
    for (const arg of args) if (typeof arg === "object") own++;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] ?? 0;
      if (typeof arg !== "object") continue;
      const word = this.#record(STORE, options.what, options.path);
      this.#put(word + 2, arg.load);
      this.#put(word + 4, 1);
      this.#put(word + 14, own * RECORD_BYTES + (1 + i) * 8);
      this.#slots.push(word + 14);
    }
    const word = this.#record(syscallNumber(name, this.arch), options.what, options.path);
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] ?? 0;
      if (typeof arg !== "object") this.#put(word + 2 + i * 2, arg);
    }
    if (options.into !== undefined) this.#put(word + 14, options.into);
    const onError = options.onError ?? "fail";
    if (onError === "fail") this.#put(word + 16, FAIL);
    else if (onError === "ignore") this.#put(word + 16, RECORD_BYTES);
    else this.#jumps.push(word + 16, onError);
    if (options.onZero === undefined) this.#put(word + 18, RECORD_BYTES);
    else this.#jumps.push(word + 18, options.onZero);
  }

  /** Jumps if the 4 bytes at `word` are `equals`. */
  gotoIf(word: Address, equals: number, label: Label): void {
    const at = this.#record(BRANCH, "a branch");
    this.#put(at + 2, word);
    this.#put(at + 4, equals);
    this.#jumps.push(at + 18, label);
  }

  goto(label: Label): void {
    this.gotoIf(addressOf(ZERO_OFFSET), 0, label);
  }

  /** Puts minus the word at `from` into the word at `into`: a group from the pid of its leader. */
  negate(from: Address, into: Address): void {
    const at = this.#record(STORE, "a negation");
    this.#put(at + 2, from);
    this.#put(at + 4, -1);
    this.#put(at + 14, into);
  }

  label(): Label {
    return this.#places.push(-1) - 1 as Label;
  }

  /** The next record is where the label leads. */
  place(label: Label): void {
    if (this.#places[label] !== -1) {
      throw new Error(`Cannot place label ${label}: it has a place, or is not ours`);
    }
    this.#places[label] = this.#records;
  }

  /** The plan, ready to be put into the file that the helper finds as its fd 3. */
  build(): Uint8Array {
    const data = this.#data.content;
    const first = Math.ceil(data.length / 8) * 8;
    const size = first + (this.#records + 1) * RECORD_BYTES;
    if (size > PLAN_LIMIT) throw new UnenforceableError("plan > 16 MiB");
    const plan = new Uint8Array(size);
    plan.set(data);
    const head = new Uint32Array(plan.buffer, 0, 2);
    head[0] = PLAN_ADDRESS + first;
    plan.set(new Uint8Array(this.#words.buffer, 0, this.#records * RECORD_BYTES), first);
    const words = new Uint32Array(plan.buffer, first);
    this.#settle(words, PLAN_ADDRESS + first);
    const last = this.#records * RECORD_WORDS;
    words[last] = NO_SYSCALL;
    words[last + 16] = FAIL;
    return plan;
  }

  /** What a record that failed was about, for the log. */
  what(record: number): string {
    const what = this.#whats[record];
    if (what === undefined) return record === this.#records ? "the end of the plan" : `record ${record}`;
    const path = this.#paths[record];
    return path === undefined ? what : `${what} ${shownPath(path)}`;
  }

  get records(): number {
    return this.#records;
  }

  /** Fills in what was not known while the records were written. */
  #settle(words: Uint32Array, first: number): void {
    const jumps = this.#jumps;
    for (let i = 0; i < jumps.length; i += 2) {
      const word = jumps[i] ?? 0;
      const place = this.#places[jumps[i + 1] ?? -1] ?? -1;
      const record = Math.floor(word / RECORD_WORDS);
      if (place < 0) throw new Error(`Cannot jump from ${this.what(record)}: its label has no place`);
      const offset = (place - record) * RECORD_BYTES;
      words[word] = low(offset);
      words[word + 1] = high(offset);
    }
    for (const word of this.#slots) words[word] = (words[word] ?? 0) + first;
  }

  /** Begins a record; gives the index of its first half word. */
  #record(number: number, what: string, path?: BytePath): number {
    const at = this.#records * RECORD_WORDS;
    if (at === this.#words.length) {
      const more = new Uint32Array(at * 2);
      more.set(this.#words);
      this.#words = more;
    }
    this.#put(at, number);
    this.#whats.push(what);
    this.#paths.push(path);
    this.#records++;
    return at;
  }

  /** Two halves are much faster than a `BigUint64Array`, which would want a bigint for each number. */
  #put(at: number, value: number | bigint): void {
    this.#words[at] = low(value);
    this.#words[at + 1] = high(value);
  }
}
