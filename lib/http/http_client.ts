/** A header of a request. Names are sent in lower case. */
export interface RequestHeader {
  readonly name: string;
  readonly value: string;
  /** An environment variable of the place that sends it; what it holds there follows the value. */
  readonly valueEnvVar: string | null;
}

export interface Header {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

export interface HttpRequest {
  /** As it is sent; upper and lower case are different methods. */
  readonly method: string;
  /** Absolute, http or https. */
  readonly url: string;
  /** Sent in this order, repeated ones as often as they are there. */
  readonly headers: readonly RequestHeader[];
  readonly body: Uint8Array;
  /** For all of it, redirects and body included. null: as long as it takes. */
  readonly timeoutMs: number | null;
  readonly redirects: "follow" | "stop";
}

export interface HttpResponse {
  readonly status: number;
  /** In their order, repeated ones as often as they came. Values that are no visible ASCII are left out. */
  readonly headers: readonly Header[];
  /** As it was sent: nothing is unpacked. Whoever has the response takes the body to its end or drops it. */
  readonly body: HttpBody;
}

/** The body of a response. The other side is held back while nobody takes it. */
export interface HttpBody {
  /**
   * What has come, up to so many bytes and at least one; waits while there is none. null at the end. Rejects with
   * an HttpError when the body breaks off.
   */
  take(atMost: number): Promise<Uint8Array | null>;
  /** The rest is not wanted: the connection ends now. Nothing happens when the body is over. */
  drop(): void;
}

/** Makes requests from one place, this machine or a far one. */
export interface HttpClient {
  /**
   * Resolves when the head of the last response is there; any status is a response. Rejects with an HttpError.
   * `givenUp` ends it at any time, the body too, and its connection with it.
   */
  send(request: HttpRequest, givenUp: AbortSignal): Promise<HttpResponse>;
}
