/**
 * The longest that work on large trees keeps the program from everybody else, all such work together. With half of it
 * others wait no less and the work is slower; with four times as much they wait as much longer.
 */
const SLICE_MS = 0.5;

let sliceIsOpen = false;
let sliceEnds = 0;
const waiting: (() => void)[] = [];

/** Whether work on a large tree should wait for its next turn. Asked at every step. */
export function turnIsOver(): boolean {
  openSlice();
  return performance.now() >= sliceEnds;
}

/** Resolves when the others have been looked after and it is this one's turn again. */
export function nextTurn(): Promise<void> {
  openSlice();
  return new Promise((resolve) => waiting.push(resolve));
}

function openSlice(): void {
  if (sliceIsOpen) return;
  sliceIsOpen = true;
  sliceEnds = performance.now() + SLICE_MS;
  setImmediate(() => {
    sliceIsOpen = false;
    const resume = waiting.shift();
    if (resume === undefined) return;
    openSlice();
    resume(); // one a turn: each of them may use the whole slice
  });
}
