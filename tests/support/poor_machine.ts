import { runToEnd } from "./target_process.ts";

/**
 * The command as root of a namespace in which nobody can make another one, and without a capability: as on a machine that
 * lets nobody confine files.
 */
export function onPoorMachine(command: readonly string[]): string[] {
  const script =
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all -- "$@"';
  return ["unshare", "-Ur", "sh", "-c", script, "sh", ...command];
}

/** Whether such a machine can be had here. */
export async function hasPoorMachine(): Promise<boolean> {
  const codeOf = (command: string[]) => runToEnd(onPoorMachine(command)).then(({ code }) => code, () => null);
  return await codeOf(["true"]) === 0 && await codeOf(["unshare", "-U", "true"]) === 1;
}
