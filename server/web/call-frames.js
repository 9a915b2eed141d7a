// What the frames of private text and files have in common, and the chunks of files (docs/protocol.md).

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEADER = 25;
export const MAX_MESSAGE = 16 * 1024;
export const MAX_CHUNK = MAX_MESSAGE - HEADER;

export const isUuid = (id) => typeof id === 'string' && UUID.test(id);

// A chunk of a file: version, identifier, offset, bytes.
export function writeChunk(id, offset, bytes) {
  const message = new Uint8Array(HEADER + bytes.length);
  message[0] = 1;
  const digits = id.replaceAll('-', '');
  for (let n = 0; n < 16; n += 1) message[1 + n] = parseInt(digits.slice(2 * n, 2 * n + 2), 16);
  new DataView(message.buffer).setBigUint64(17, BigInt(offset));
  message.set(bytes, HEADER);
  return message;
}

// {id, offset, bytes}, or null where it is none.
export function readChunk(data) {
  if (!(data instanceof ArrayBuffer) || data.byteLength <= HEADER || data.byteLength > MAX_MESSAGE) return null;
  const message = new Uint8Array(data);
  if (message[0] !== 1) return null;
  const digits = [...message.subarray(1, 17)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const id = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const offset = new DataView(data).getBigUint64(17);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  return { id, offset: Number(offset), bytes: message.subarray(HEADER) };
}
