/** What a filter is asked about one system call: `struct seccomp_data`. */
export interface SeccompCall {
  number: number;
  architecture: number;
  args?: readonly (number | bigint)[];
}

/**
 * Runs a filter as the kernel would, and refuses what the kernel would refuse to load: what it does not know, jumps
 * and loads past the end, an end without a return. Only the instructions that our filters use.
 */
export function runFilter(filter: Uint8Array, call: SeccompCall): number {
  if (filter.length === 0 || filter.length % 8 !== 0) throw new Error("A filter is instructions of 8 bytes");
  const code = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = seccompData(call);
  let loaded = 0;
  for (let at = 0; at < filter.length / 8;) {
    const operation = code.getUint16(at * 8, true);
    const ifTrue = code.getUint8(at * 8 + 2);
    const ifFalse = code.getUint8(at * 8 + 3);
    const value = code.getUint32(at * 8 + 4, true);
    at++;
    if (operation === 0x20) loaded = data.getUint32(value, true);
    else if (operation === 0x15) at += loaded === value ? ifTrue : ifFalse;
    else if (operation === 0x45) at += (loaded & value) !== 0 ? ifTrue : ifFalse;
    else if (operation === 0x06) return value;
    else throw new Error(`Instruction ${at - 1} has an operation that is not known: ${operation}`);
  }
  throw new Error("The filter ran past its end");
}

function seccompData(call: SeccompCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.architecture, true);
  call.args?.forEach((arg, i) => data.setBigUint64(16 + i * 8, BigInt.asUintN(64, BigInt(arg)), true));
  return data;
}
