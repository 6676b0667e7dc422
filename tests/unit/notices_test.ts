import { expect, test } from "bun:test";
import { join } from "@std/path";

const NOTICES = join(import.meta.dir, "../../cli/run/notices.ts");

test("a notice is one line of what can be seen, whatever somebody else wrote into it", async () => {
  const script = `import { Notices } from ${JSON.stringify(NOTICES)};
    const notices = new Notices({ quiet: false, verbose: true, color: "never" });
    notices.say("a\\x1b[2J\\nb");
    notices.rawTerminal = true;
    notices.detail("c\\rd");`;
  await using child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], {
    stdout: "ignore",
    stderr: "pipe",
  });
  expect(await child.stderr.text()).toBe("exec-server: a\\x1b[2J\\nb\nexec-server: c\\x0dd\r\n");
  expect(await child.exited).toBe(0);
});
