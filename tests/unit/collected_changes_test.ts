import { describe, expect, test } from "bun:test";
import { CollectedChanges } from "../../lib/fs/collected_changes.ts";
import { MAX_CHANGED_NAMES, type NativePath } from "../../lib/fs/file_system.ts";

const change = (...names: NativePath[]) => ({ names, overflow: false, ended: false });

describe("collected changes", () => {
  test("name each name once, bytes and texts apart", () => {
    const changes = new CollectedChanges();
    expect(changes.isEmpty).toBe(true);
    changes.add(change("a", "ÿ", Buffer.from([0xff])));
    changes.add(change("a", Buffer.from([0xff]), "b"));
    expect(changes.isEmpty).toBe(false);
    expect(changes.take()).toEqual(change("a", "ÿ", Buffer.from([0xff]), "b"));
    expect(changes.isEmpty).toBe(true);
    expect(changes.take()).toEqual(change());
  });

  test("say that there was more than they name, and forget that once it is told", () => {
    const changes = new CollectedChanges();
    const names = Array.from({ length: MAX_CHANGED_NAMES }, (_, i) => `${i}`);
    changes.add(change(...names));
    changes.add(change("0"));
    expect(changes.take()).toEqual(change(...names));
    changes.add(change(...names, "one more"));
    expect(changes.take()).toEqual({ ...change(...names), overflow: true });
    changes.add({ ...change("x"), ended: true });
    expect(changes.take()).toEqual({ ...change("x"), ended: true });
    expect(changes.take().ended).toBe(false);
  });

  test("that something changed is a change without a name, too", () => {
    const changes = new CollectedChanges();
    changes.add(change());
    expect(changes.isEmpty).toBe(false);
  });
});
