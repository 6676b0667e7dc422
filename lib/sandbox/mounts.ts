import { type BytePath, isWithin, namesOf, parentOf, shownPath, upwards } from "./byte_path.ts";
import type { MountRule, Rules } from "./rules.ts";
import { UnenforceableError } from "./unenforceable.ts";

/** What the view is built of, in the order in which it is built. Pure: what is on the disk is asked of `kindOf`. */
export interface MountPlan {
  readonly base: "read-only" | "writable" | "minimal";
  /** Copies of the host's trees, taken before anything is covered. */
  readonly clones: readonly { readonly path: BytePath; readonly access: "read" | "write" }[];
  /** Denied directories in which something is open again: each a directory of its own with mount points. */
  readonly passages: readonly MountPoint[][];
  /** Mount points that no mount brings along, parents first. */
  readonly skeleton: readonly MountPoint[];
  readonly links: Rules["links"];
  /** Parents first. */
  readonly attachments: readonly Attachment[];
}

export interface MountPoint {
  /** In a passage: relative to it. */
  readonly path: string;
  readonly kind: "directory" | "file";
}

export type Attachment =
  | { readonly path: BytePath; readonly what: "clone"; readonly index: number }
  | { readonly path: BytePath; readonly what: "passage"; readonly index: number }
  | { readonly path: BytePath; readonly what: "denied directory" | "denied file" | "absent" };

/** What the sandbox's own /dev has. */
export const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;
const OTHERS_IN_DEV = ["fd", "stdin", "stdout", "stderr", "ptmx", "pts"];
const IN_DEV = new Set<BytePath>([...DEVICES, ...OTHERS_IN_DEV].map((name) => `/dev/${name}`));
export const SHARED_MEMORY = "/dev/shm";
/** Directories that are there before the skeleton is made. */
const STANDING = new Set<BytePath>(["/dev", SHARED_MEMORY, "/proc"]);

/** Throws an UnenforceableError for what this way of building cannot show. */
export function mountPlanOf(rules: Rules, kindOf: (path: BytePath) => "directory" | "file"): MountPlan {
  const clones: { path: BytePath; access: "read" | "write" }[] = [];
  const passages: Map<string, MountPoint>[] = [];
  const skeleton = new Map<BytePath, MountPoint>();
  const attachments: Attachment[] = [];
  /** What is attached where so far. */
  const attached = new Map<BytePath, Attachment>();
  let base: MountPlan["base"] = rules.view === "minimal" ? "minimal" : "read-only";

  const attach = (attachment: Attachment) => {
    attachments.push(attachment);
    attached.set(attachment.path, attachment);
  };
  /** A denied directory that turns out to be a way to something. */
  const passageAt = (mask: Attachment): Map<string, MountPoint> => {
    if (mask.what === "passage") return passages[mask.index]!;
    const index = passages.push(new Map()) - 1;
    const passage = { path: mask.path, what: "passage", index } as const;
    attachments[attachments.indexOf(mask)] = passage;
    attached.set(mask.path, passage);
    return passages[index]!;
  };

  for (const rule of rules.mounts) {
    if (rule.path === "/") {
      if (rule.kind === "write" && base !== "minimal") base = "writable";
      else if (rule.kind !== "read" || base === "minimal") throw cannot(rule);
      continue;
    }
    const above = nearest(rule.path, attached);
    if (ours(rule, above)) continue;
    if (rule.kind === "write" || rule.kind === "read") {
      // Everything is read-only anyway.
      if (rule.kind === "read" && above === null && base === "read-only" && !isWithin(rule.path, "/dev")) {
        continue;
      }
      const kind = kindOf(rule.path);
      if (above !== null && above.what !== "clone") {
        addPoints(passageAt(above), rule.path.slice(above.path.length + 1), kind);
      } else if (above === null && (base === "minimal" || isWithin(rule.path, "/dev"))) {
        addPoints(skeleton, rule.path, kind);
      }
      attach({
        path: rule.path,
        what: "clone",
        index: clones.push({ path: rule.path, access: rule.kind }) - 1,
      });
    } else if (above === null ? base !== "minimal" || isWithin(rule.path, "/dev") : above.what === "clone") {
      attach({ path: rule.path, what: MASKS[rule.kind] });
    } // else it is hidden already, with all around it
  }
  const links = base === "minimal" ? rules.links : [];
  for (const { path } of links) addPoints(skeleton, parentOf(path), "directory");
  return {
    base,
    clones,
    passages: passages.map((points) => [...points.values()]),
    skeleton: [...skeleton.values()],
    links,
    attachments,
  };
}

const MASKS = {
  "deny-directory": "denied directory",
  "deny-file": "denied file",
  "absent": "absent",
} as const;

/** Whether the sandbox's own /dev and /proc are the answer to a rule already. */
function ours(rule: MountRule, above: Attachment | null): boolean {
  const opens = rule.kind === "read" || rule.kind === "write";
  if (isWithin(rule.path, "/proc")) {
    // It is mounted last and for this process alone. Reading it is all that it is for.
    if (rule.kind === "read") return true;
    throw cannot(rule);
  }
  if (rule.path === "/dev") {
    if (opens) return true;
    throw cannot(rule);
  }
  if (!isWithin(rule.path, "/dev") || above !== null) return false;
  if (opens) return IN_DEV.has(rule.path);
  // What is not among ours is not there, whatever the host has.
  return !IN_DEV.has(rule.path) && rule.path !== SHARED_MEMORY;
}

function nearest(path: BytePath, attached: ReadonlyMap<BytePath, Attachment>): Attachment | null {
  for (const at of upwards(parentOf(path))) {
    const attachment = attached.get(at);
    if (attachment !== undefined) return attachment;
  }
  return null;
}

/** The mount point and the directories on the way to it. */
function addPoints(points: Map<string, MountPoint>, path: string, kind: "directory" | "file"): void {
  const start = path.startsWith("/") ? "/" : "";
  const names = namesOf(path);
  for (let count = 1; count <= names.length; count++) {
    const point = start + names.slice(0, count).join("/");
    if (points.has(point) || STANDING.has(point)) continue;
    points.set(point, { path: point, kind: count === names.length ? kind : "directory" });
  }
}

function cannot(rule: MountRule): UnenforceableError {
  return new UnenforceableError(`no rule of the kind ${rule.kind} for ${shownPath(rule.path)}`);
}
