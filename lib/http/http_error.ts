/** What can go wrong with a request, in words that both the wire and the command line can translate. */
export type HttpErrorCode =
  | "invalid" // the request itself makes no sense; nothing was sent
  | "failed" // there is no response: no connection, no head, no end of redirects, no time
  | "body"; // the response began, and its body did not end as it should

export class HttpError extends Error {
  override readonly name = "HttpError";
  constructor(readonly code: HttpErrorCode, message: string) {
    super(message);
  }
}
