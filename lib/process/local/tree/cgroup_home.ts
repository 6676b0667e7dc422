import { existsSync, readFileSync } from "node:fs";
import { basename } from "@std/path";
import {
  cgroupsIn,
  hasCgroups,
  isEmpty,
  makeCgroup,
  membersOf,
  readCgroup,
  removeCgroup,
  writeCgroup,
} from "./cgroup_files.ts";
import { aroundCgroup, cgroupDirectory } from "./cgroup_mount.ts";
import { CgroupSeat, type SeatLimits } from "./cgroup_seat.ts";

/** Empty ones that are kept for the next starts: to make and to remove one takes longer than to enter it. */
const SPARES = 8;
const NAME = /^exec-server-(\d+)-\d+$/;

let homes = 0;

/** Our cgroup for the cgroups of processes, each of which has one to itself. */
export class CgroupHome {
  readonly #spares: CgroupSeat[] = [];
  readonly #leaving = new Set<CgroupSeat>();
  #seats = 0;

  private constructor(
    readonly directory: string,
    /** What can be limited there. */
    readonly controllers: ReadonlySet<"memory" | "pids">,
  ) {}

  /** null where there is no cgroup v2 that we may divide, or none that kills; `why` is told then. */
  static find(): { readonly home: CgroupHome } | { readonly why: string } {
    let own: string | null;
    try {
      own = cgroupDirectory(
        readFileSync("/proc/self/mountinfo", "utf8"),
        readFileSync("/proc/self/cgroup", "utf8"),
      );
    } catch {
      own = null;
    }
    if (own === null) return { why: "no cgroup v2 is mounted" };
    // Where a service manager put us into a cgroup below the one that it gave us, we may divide only that.
    const around = aroundCgroup(own, (directory) => existsSync(`${directory}/cgroup.procs`));
    for (const place of around === null ? [own] : [own, around]) {
      const home = CgroupHome.#in(place, own);
      if (home !== null) return { home };
    }
    return { why: "no cgroup can be made here" };
  }

  static #in(place: string, own: string): CgroupHome | null {
    removeDeserted(place);
    homes += 1;
    const directory = `${place}/exec-server-${process.pid}-${homes}`;
    if (!makeCgroup(directory)) return null;
    const home = new CgroupHome(directory, enableControllers(place, own, directory));
    if (existsSync(`${directory}/cgroup.kill`) && home.#canBeEntered()) return home;
    removeCgroup(directory);
    return null;
  }

  take(limits: SeatLimits): CgroupSeat | null {
    for (const seat of this.#leaving) this.#settle(seat);
    const spare = limits.memoryBytes === undefined && limits.pids === undefined
      ? this.#spares.pop()
      : undefined;
    // Somebody who takes us for dead may have tidied it away.
    if (spare !== undefined && existsSync(spare.directory)) {
      spare.begin(); // what the last one used is counted, for nobody has been in it since
      return spare;
    }
    this.#seats += 1;
    const directory = `${this.directory}/${this.#seats}`;
    return makeCgroup(directory) ? new CgroupSeat(directory, limits) : null;
  }

  /** Its process has ended; somebody may still be in it. */
  giveBack(seat: CgroupSeat): void {
    this.#leaving.add(seat);
    this.#settle(seat);
  }

  /** As far as nobody is in it. */
  remove(): void {
    for (const seat of this.#spares.splice(0)) removeCgroup(seat.directory);
    removeCgroup(this.directory);
  }

  #settle(seat: CgroupSeat): void {
    if (!isEmpty(seat.directory)) return;
    const isClean = !seat.isWorn && !hasCgroups(seat.directory);
    if (isClean && this.#spares.length < SPARES) this.#spares.push(seat);
    else if (!removeCgroup(seat.directory)) return;
    this.#leaving.delete(seat);
  }

  /** Rules of a sandbox around us, or of the cgroup itself, may forbid what its files seem to allow. */
  #canBeEntered(): boolean {
    const seat = this.take({});
    if (seat === null) return false;
    const options = { cgroup: seat.directory, stdio: ["ignore", "ignore", "ignore"] as const };
    try {
      return Bun.spawnSync({ cmd: ["/bin/sh", "-c", ":"], ...options, stdio: [...options.stdio] })
        .exitCode === 0;
    } catch {
      return false;
    } finally {
      this.giveBack(seat);
    }
  }
}

/**
 * The kernel limits what is in a cgroup only where the one around it hands the controller down, and one that does may have
 * no members itself: if we are its only one, we move aside.
 */
function enableControllers(place: string, own: string, home: string): Set<"memory" | "pids"> {
  const has = (directory: string, file: string) => (readCgroup(directory, file) ?? "").trim().split(" ");
  const names = (["memory", "pids"] as const).filter((name) =>
    has(place, "cgroup.controllers").includes(name)
  );
  const handDown = (directory: string) => {
    for (const name of names) writeCgroup(directory, "cgroup.subtree_control", `+${name}`);
  };
  const isHandedDown = () => names.every((name) => has(place, "cgroup.subtree_control").includes(name));
  if (names.length > 0 && !isHandedDown()) handDown(place);
  if (names.length > 0 && !isHandedDown() && place === own && isOurs(place)) {
    const aside = `${home}/server`;
    if (makeCgroup(aside) && writeCgroup(aside, "cgroup.procs", String(process.pid))) handDown(place);
  }
  handDown(home);
  return new Set(names.filter((name) => has(home, "cgroup.subtree_control").includes(name)));
}

function isOurs(directory: string): boolean {
  const members = membersOf(directory);
  return members.length === 1 && members[0] === process.pid;
}

/** A server that was killed could not remove its own. */
function removeDeserted(place: string): void {
  for (const directory of cgroupsIn(place)) {
    const pid = NAME.exec(basename(directory))?.[1];
    if (pid !== undefined && Number(pid) !== process.pid && !existsSync(`/proc/${pid}`)) {
      removeCgroup(directory);
    }
  }
}
