import type { Case } from "../case.ts";
import { blocks } from "./blocks.ts";
import { echo } from "./echo.ts";
import { execs } from "./exec.ts";
import { http } from "./http.ts";
import { output } from "./output.ts";
import { ping } from "./ping.ts";
import { trees } from "./trees.ts";
import { wholeFiles } from "./whole_files.ts";

/** In the order in which they run and are told. */
export const allCases: readonly Case[] = [
  ping,
  ...execs,
  echo,
  output,
  ...wholeFiles,
  ...blocks,
  ...trees,
  ...http,
];
