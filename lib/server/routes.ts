import { capabilityRoutes } from "./capability_routes.ts";
import { environmentInfo } from "./environment_info.ts";
import { filesV1Routes } from "./files_v1_routes.ts";
import { fsRoutes } from "./fs_routes.ts";
import { keptRoutes } from "./kept_routes.ts";
import { httpRoutes } from "./http_routes.ts";
import { processRoutes } from "./process_routes.ts";
import type { Routes } from "./route.ts";

/** Every method that is served; `initialize` is the connection's own. */
export const routes: Routes = {
  "environment/info": () => environmentInfo,
  "environment/status": () => () => ({ status: "ready" }),
  ...processRoutes,
  ...keptRoutes,
  ...fsRoutes,
  ...filesV1Routes,
  ...httpRoutes,
  ...capabilityRoutes,
};
