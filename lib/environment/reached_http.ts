import type { HttpClient, HttpRequest } from "../http/http_client.ts";

/** Requests from a place, reached anew for every one. One that cannot be reached rejects with an EnvironmentError. */
export class ReachedHttp implements HttpClient {
  constructor(private readonly reach: () => Promise<HttpClient>) {}

  async send(request: HttpRequest, givenUp: AbortSignal) {
    return await (await this.reach()).send(request, givenUp);
  }
}
