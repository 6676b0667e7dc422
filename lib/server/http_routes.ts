import type { HttpRequest } from "../http/http_client.ts";
import { decodeBase64, encodeBase64 } from "../wire/base64.ts";
import type { ParamsOf } from "../wire/methods.ts";
import type { Routes } from "./route.ts";

/** `http/request`: wire words in, requests out. */
export const httpRoutes: Pick<Routes, "http/request"> = {
  async "http/request"(params, { http }) {
    const request = requestOf(params);
    const { requestId } = params;
    if (params.streamResponse) {
      const { status, headers, body } = await http.sendStreamed(requestId, request);
      return () => {
        http.publish(requestId, body);
        return { status, headers, bodyBase64: "" };
      };
    }
    const response = await http.send(request);
    const { status, headers } = response;
    const { bytes, release } = await http.whole(response);
    return () => {
      release();
      return { status, headers, bodyBase64: encodeBase64(bytes) };
    };
  },
};

function requestOf(params: ParamsOf<"http/request">): HttpRequest {
  const { method, url, headers, bodyBase64, timeoutMs, redirectPolicy } = params;
  const body = decodeBase64(bodyBase64 ?? "");
  return { method, url, headers, body, timeoutMs, redirects: redirectPolicy };
}
