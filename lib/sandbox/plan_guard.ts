import { type BytePath, parentOf, upwards } from "./byte_path.ts";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from "./linux.ts";
import type { Attachment, MountPlan } from "./mounts.ts";
import type { Address, Label, Program } from "./program.ts";

const POLLIN = 1;
const POLLPRI = 2;
const EACCES = 13;
const EROFS = 30;
const LIST_OF_MOUNTS = "/proc/self/mountinfo";

/** What holds a program back: without one of these it could read or write more than it may. */
export function masksOf({ base, clones, attachments }: MountPlan): BytePath[] {
  const attached = new Map(attachments.map((attachment) => [attachment.path, attachment]));
  const isWritten = ({ what, ...more }: Attachment) =>
    what === "clone" && "index" in more && clones[more.index]!.access === "write";
  return attachments.filter((attachment) => {
    if (attachment.what !== "clone") return true;
    if (isWritten(attachment)) return false;
    for (const at of upwards(parentOf(attachment.path))) {
      const above = attached.get(at);
      if (above !== undefined) return isWritten(above);
    }
    return base === "writable";
  }).map(({ path }) => path);
}

/**
 * Sees to it that masks stay where they are. A mount goes, in every namespace, when somebody outside removes or
 * replaces what it stands on. All of them are read-only: what nobody may do there is refused for that, and for that
 * alone. A path that we cannot follow from the beginning is none that the program could.
 */
export class MaskGuard {
  readonly #first: readonly Address[];

  constructor(private readonly program: Program, private readonly masks: readonly BytePath[]) {
    this.#first = masks.map(() => program.room(8));
  }

  /** Before anything is mounted. Takes the lowest descriptor that is free, which is `list`. */
  listen(): void {
    if (this.masks.length === 0) return;
    const args = [AT_FDCWD, this.program.text(LIST_OF_MOUNTS), O_CLOEXEC, 0];
    this.program.call("openat", args, { what: "watch mounts" });
  }

  /** When all is mounted. Fails where something has gone already. */
  check(): void {
    const { program } = this;
    this.masks.forEach((path, index) => {
      const found = this.#first[index]!;
      const good = program.label();
      this.#touch(path, found);
      program.gotoIf(found, -EROFS >>> 0, good);
      program.gotoIf(found, -EACCES >>> 0, good);
      // Says that something is missing, which is what those who start things can mend.
      program.call("chdir", [program.text("")], { what: "keep in place", path });
      program.place(good);
    });
  }

  /** Comes back to `lost` when one goes, or to `gone` when the other end of the pipe does. */
  watch(list: number, pipe: number, lost: Label, gone: Label): void {
    const { program } = this;
    const [again, news] = [program.label(), program.label()];
    const polled = (fd: number, events: number) => BigInt(fd) | (BigInt(events) << 32n);
    const fds = this.masks.length === 0
      ? program.words(polled(pipe, POLLIN))
      : program.words(polled(pipe, POLLIN), polled(list, POLLPRI));
    program.place(again);
    const what = "watch over the masks";
    program.call("ppoll", [fds, this.masks.length === 0 ? 1 : 2, 0, 0, 0], { what, onError: again });
    program.gotoIf(program.after(fds, 4), POLLIN, news); // nothing has come of it
    program.goto(gone);
    program.place(news);
    const found = program.room(8);
    this.masks.forEach((path, index) => {
      const good = program.label();
      this.#touch(path, found);
      program.gotoIf(found, -EROFS >>> 0, good);
      program.gotoIf(this.#first[index]!, -EACCES >>> 0, good);
      program.goto(lost);
      program.place(good);
    });
    program.goto(again);
  }

  /** Gives it to nobody new. */
  #touch(path: BytePath, into: Address): void {
    const args = [AT_FDCWD, this.program.text(path), -1, -1, AT_SYMLINK_NOFOLLOW];
    this.program.call("fchownat", args, { what: "look at", path, into, onError: "ignore" });
  }
}
