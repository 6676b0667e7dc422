import { osErrorCode } from "../../base/os_error.ts";
import type { StartOptions } from "../backend.ts";
import type { Child, ChildListener, Launch } from "./child.ts";
import { withInheritedDescriptorLimit } from "./descriptor_limit.ts";
import { spawnPipeChild } from "./pipe_child.ts";
import { DEFAULT_SIZE, spawnPtyChild } from "./pty_child.ts";
import { resolvedEnv, resolveStart, withDirectory } from "./resolved_start.ts";
import { notExecuted, refuseMissingDirectory } from "./spawn_error.ts";

/** Starts what was asked for, or throws a ProcessError that tells which step failed; then nothing is left. */
export function spawnChild(options: StartOptions, listener: ChildListener): Child {
  const env = resolvedEnv(options);
  return withDirectory(options.cwd, (cwd) => {
    const { programs: [program], argv } = resolveStart(options, env, cwd, "first");
    try {
      return spawn(
        { program, argv, cwd, env, extraFds: [], cgroup: listener.tree.cgroup },
        options,
        listener,
      );
    } catch (error) {
      // Asked only now: a start that works should not pay for telling failures apart.
      refuseMissingDirectory(cwd, options.cwd);
      const code = osErrorCode(error);
      if (code === null) throw error;
      throw notExecuted(code, program, cwd);
    }
  });
}

/** Throws the runtime's error when the system will not start it; nothing is left open then. */
export function spawn(
  launch: Launch,
  { tty, size, pipeStdin }: Pick<StartOptions, "tty" | "size" | "pipeStdin">,
  listener: ChildListener,
): Child {
  return listener.tree.bear(() =>
    withInheritedDescriptorLimit(() =>
      tty
        ? spawnPtyChild(launch, size ?? DEFAULT_SIZE, listener)
        : spawnPipeChild(launch, pipeStdin, listener)
    )
  );
}
