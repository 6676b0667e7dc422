/**
 * What a person waits for `run -- true`: from the start of the program to its end, beside what they would type
 * otherwise. All in turn, so that a machine that drifts drifts for all.
 *
 *     node_modules/.bin/bun bench/run_start.ts [ROUNDS]
 *
 * Needs a built `dist/exec-server`. Rows that need OpenSSH are left out where it is missing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "@std/path";

const ROUNDS = Number(process.argv[2] ?? 40);
const OURS = resolve(import.meta.dir, "../dist/exec-server");
const PORT = 20_000 + (process.pid % 10_000);

const scratch = mkdtempSync(join(tmpdir(), "run-start-"));
const running: Bun.Subprocess[] = [];
try {
  await main();
} finally {
  for (const child of running) child.kill();
  await Promise.all(running.map((child) => child.exited));
  rmSync(scratch, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const url = await serve();
  const rows: [string, string[]][] = [
    ["sh -c true", ["/bin/sh", "-c", "true"]],
    ["empty compiled program", [await emptyProgram()]],
    ["run -- true, here", [OURS, "run", "--", "true"]],
    ["run -- true, warm loopback server", [OURS, "run", "-s", url, "--", "true"]],
    ["run -w /tmp -- true, warm loopback server", [OURS, "run", "-s", url, "-w", "/tmp", "--", "true"]],
    ...await sshRows(),
  ];
  const times = new Map<string, number[]>(rows.map(([name]) => [name, []]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, command] of rows) {
      const began = performance.now();
      const { exitCode } = Bun.spawnSync(command, { env: cleanEnv(), stdin: "ignore", stderr: "inherit" });
      const ms = performance.now() - began;
      if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}`);
      if (round >= 0) times.get(name)!.push(ms); // the first two rounds only warm up
    }
  }
  const base = quantile(times.get("empty compiled program")!, 0.5);
  console.log(`${"p50 ms".padStart(8)} ${"p90 ms".padStart(8)} ${"x empty".padStart(8)}   command`);
  for (const [name, ms] of times) {
    const [p50, p90] = [quantile(ms, 0.5), quantile(ms, 0.9)];
    const cells = [p50.toFixed(2), p90.toFixed(2), (p50 / base).toFixed(2)].map((cell) => cell.padStart(8));
    console.log(`${cells.join(" ")}   ${name}`);
  }
}

async function serve(): Promise<string> {
  const server = Bun.spawn([OURS, "serve"], { stdout: "pipe", env: cleanEnv() });
  running.push(server);
  const { value } = await server.stdout.getReader().read();
  return new TextDecoder().decode(value).trim();
}

async function emptyProgram(): Promise<string> {
  const source = join(scratch, "empty.ts");
  await Bun.write(source, "export {};\n");
  const outfile = join(scratch, "empty");
  const built = Bun.spawnSync([
    process.execPath,
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    `--outfile=${outfile}`,
    source,
  ]);
  if (!built.success) throw new Error(`Cannot build an empty program: ${built.stderr}`);
  return outfile;
}

/** A private sshd on loopback with a key of its own, and a master connection that stays open. */
async function sshRows(): Promise<[string, string[]][]> {
  const sshd = Bun.which("sshd") ?? Bun.which("sshd", { PATH: "/usr/sbin" });
  if (sshd === null || Bun.which("ssh") === null) {
    console.error("ssh rows left out: OpenSSH is not here");
    return [];
  }
  const file = (name: string) => join(scratch, name);
  for (const key of ["host", "user"]) {
    Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file(key)]);
  }
  await Bun.write(file("authorized"), Bun.file(file("user.pub")));
  const settings = [
    `Port ${PORT}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("authorized")}`,
    "StrictModes no",
    "UsePAM no",
    `PidFile ${file("pid")}`,
  ];
  await Bun.write(file("sshd_config"), settings.join("\n") + "\n");
  Bun.spawnSync(["mkdir", "-p", "/run/sshd"]);
  running.push(Bun.spawn([sshd, "-D", "-e", "-f", file("sshd_config")], { stderr: "ignore" }));
  const options = [
    "-i",
    file("user"),
    "-p",
    String(PORT),
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "LogLevel=ERROR",
  ];
  const known = ["-o", `UserKnownHostsFile=${file("known")}`, "-F", "/dev/null"];
  const control = ["-o", `ControlPath=${file("control")}`];
  // The runtime's userInfo() goes by $USER, which a service does not have.
  const host = `${Bun.spawnSync(["id", "-un"]).stdout.toString().trim()}@127.0.0.1`;
  const connect = () =>
    Bun.spawnSync([
      "ssh",
      ...options,
      ...known,
      ...control,
      "-o",
      "ControlMaster=yes",
      "-o",
      "ControlPersist=60",
      host,
      "true",
    ]);
  for (let attempt = 0; !connect().success; attempt++) {
    if (attempt === 50) throw new Error(`Cannot connect to our own sshd: ${connect().stderr}`);
    await Bun.sleep(50);
  }
  return [
    ["ssh with a ControlMaster", ["ssh", ...options, ...known, ...control, host, "true"]],
    ["ssh, new connection", ["ssh", ...options, ...known, host, "true"]],
  ];
}

function cleanEnv(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: scratch };
}

function quantile(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)]!;
}
