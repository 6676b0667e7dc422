/** Opcodes of RFC 6455. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export type OutgoingFrame = {
  opcode: number;
  payload?: string | Uint8Array;
  fin?: boolean;
  /** The three reserved bits, as they stand in the first byte (0x40, 0x20, 0x10). */
  reserved?: number;
  masked?: boolean;
};

export type Frame = { fin: boolean; reserved: number; opcode: number; masked: boolean; payload: Buffer };

/** Above this a mask of zeros is used: legal, and it spares the test a walk over 64 MiB. */
const REAL_MASK_LIMIT = 1 << 16;

/** The header and the payload of a frame, apart so that a large payload is not copied. */
export function encodeFrame(frame: OutgoingFrame): [Buffer, Uint8Array] {
  const payload = typeof frame.payload === "string"
    ? Buffer.from(frame.payload)
    : frame.payload ?? Buffer.alloc(0);
  const masked = frame.masked ?? true;
  const first = (frame.fin ?? true ? 0x80 : 0) | (frame.reserved ?? 0) | frame.opcode;
  const length = payload.length;
  const header = Buffer.alloc(length < 126 ? 2 : length < 0x10000 ? 4 : 10);
  header[0] = first;
  header[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 0x10000 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return [header, payload];
  const mask = length > REAL_MASK_LIMIT
    ? Buffer.alloc(4)
    : Buffer.from(crypto.getRandomValues(new Uint8Array(4)));
  const body = length > REAL_MASK_LIMIT ? payload : payload.map((byte, index) => byte ^ mask[index & 3]);
  return [Buffer.concat([header, mask]), body];
}

/** The first whole frame in `bytes` and what follows it. */
export function decodeFrame(bytes: Buffer): { frame: Frame; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126
    ? short
    : short === 126
    ? bytes.readUInt16BE(2)
    : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const frame = {
    fin: (bytes[0] & 0x80) !== 0,
    reserved: bytes[0] & 0x70,
    opcode: bytes[0] & 0x0f,
    masked: (bytes[1] & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(start, start + length)),
  };
  return { frame, rest: bytes.subarray(start + length) };
}
