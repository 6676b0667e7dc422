import { describe, expect, test } from "bun:test";
import { CommandError } from "../../cli/exit_status.ts";
import { variableLines } from "../../cli/run/child_environment.ts";

describe("a file of variables", () => {
  test("holds K=V and K, with or without export, between empty lines and comments", () => {
    const text = "# said\r\nA=1\r\n\n  \n  # more\nexport B=x = 'y' \nexport\tC\n  D \nexport=1\nE=\n";
    expect(variableLines(text, "F")).toEqual(["A=1", "B=x = 'y' ", "C", "D", "export=1", "E="]);
  });

  test.each([["bad line"], ["=sesame"], ["A =sesame"], ["export =sesame"], ["export A B=sesame"], ["A=\0"]])(
    "is refused with file and number for the line %j, and the line is not repeated",
    (line) => {
      const refused = () => variableLines(`A=1\n\n${line}\nB=2\n`, "some/file");
      expect(refused).toThrow(new CommandError("line 3 of some/file sets no variable", null, 125));
      expect(refused).toThrow(expect.objectContaining({ status: 125, hint: expect.stringContaining("K=V") }));
    },
  );
});
