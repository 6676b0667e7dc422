/** A text this long is a bulk answer: its few small members are looked for, and it is not parsed. */
const BULK = 4096;
/** No call of any case takes this long, also where the machine is busy. */
const DEADLINE_MS = 120_000;

/** What the server tells unasked. */
export interface Notice {
  readonly method: string;
  readonly processId: string;
  readonly text: string;
}

/**
 * A client as thin as it can be: raw texts over one WebSocket, bulk never parsed, so that the servers are what is
 * measured. It is the same for both, and nothing of our own client is in it.
 */
export class Wire implements AsyncDisposable {
  /** What the server said of itself. */
  version = "unknown";
  /** Called for each notification, as it comes. */
  onNotice: (notice: Notice) => void = () => {};
  #socket: WebSocket;
  #lastId = 0;
  #waiting = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
  #ended = Promise.withResolvers<never>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#ended.promise.catch(() => {}); // it may end with nobody waiting
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = ({ code }) => this.#end(new Error(`The connection ended with ${code}`));
  }

  /** Connects and shakes hands. */
  static async open(url: string): Promise<Wire> {
    // Without deflate on either side: who offers it would be measured by its zlib.
    const options = { headers: {}, perMessageDeflate: false };
    const socket = new WebSocket(url, options);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error(`Cannot connect to ${url}`));
    await opened.promise;
    const wire = new Wire(socket);
    const answer = await wire.ask("initialize", { clientName: "bench" });
    wire.version = /"executorVersion":"([^"]*)"/.exec(answer)?.[1] ?? "unknown";
    socket.send('{"method":"initialized","params":{}}');
    return wire;
  }

  /** Resolves with the whole answer as text, rejects with what the server refused it with. */
  ask(method: string, params: object): Promise<string> {
    return this.askRaw(method, JSON.stringify(params));
  }

  /** The same for parameters that are a text already: who sends the same megabytes often builds them once. */
  askRaw(method: string, params: string): Promise<string> {
    const id = ++this.#lastId;
    const answer = new Promise<string>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(`{"id":${id},"method":"${method}","params":${params}}`);
    return answer;
  }

  /** What comes first: this, the end of the connection, or the deadline. */
  async within<T>(promise: Promise<T>, what: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`${what} did not come`)), DEADLINE_MS);
    try {
      return await Promise.race([promise, this.#ended.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(text: string): void {
    const head = text.length > BULK ? text.slice(0, 256) + text.slice(-64) : text;
    const method = /"method":"([^"]*)"/.exec(head)?.[1];
    if (method !== undefined) {
      return this.onNotice({ method, processId: /"processId":"([^"]*)"/.exec(head)?.[1] ?? "", text });
    }
    const id = Number(/"id":(\d+)[,}]/.exec(head)?.[1]);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error(`An answer that nobody waits for: ${head}`);
    this.#waiting.delete(id);
    const refusal = text.length > BULK ? null : /"error":(\{.*\})/.exec(text)?.[1];
    if (refusal) waiting.reject(new Error(`Refused: ${refusal}`));
    else waiting.resolve(text);
  }

  #end(error: Error): void {
    this.#ended.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    return Promise.resolve();
  }
}

/** How many bytes the first base64 member of this name carries, without decoding it. */
export function base64Bytes(text: string, member: string): number {
  const begin = text.indexOf(`"${member}":"`) + member.length + 4;
  const end = text.indexOf('"', begin);
  const padding = text[end - 2] === "=" ? 2 : text[end - 1] === "=" ? 1 : 0;
  return (end - begin) / 4 * 3 - padding;
}
