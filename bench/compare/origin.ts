/** An HTTP origin on loopback: `GET /N` answers with N bytes. Prints its URL and runs until it is killed. */
const PIECE = crypto.getRandomValues(new Uint8Array(65_536));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request) {
    const size = Number(new URL(request.url).pathname.slice(1));
    if (!Number.isSafeInteger(size)) return new Response(null, { status: 404 });
    return new Response(bytes(size), { headers: { "content-type": "application/octet-stream" } });
  },
});
console.log(server.url.href);

function bytes(size: number): Blob {
  const whole = Math.floor(size / PIECE.length);
  return new Blob([
    ...Array<Uint8Array<ArrayBuffer>>(whole).fill(PIECE),
    PIECE.subarray(0, size % PIECE.length),
  ]);
}
