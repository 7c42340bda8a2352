import { anyOf, type Family } from './operand.ts';

/** IpAddress: networks in CIDR notation; a bare address is a network of one. Families never mix. */
export const ipAddress: Family = { compile: (values) => anyOf(values, network, isWithin) };

/** An address, or the network that begins with these bits. */
interface Network {
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** A request with a network instead of an address is within, when all of it is. */
function isWithin(value: Network, { bytes, bits }: Network): boolean {
  if (value.bytes.length !== bytes.length || value.bits < bits) return false;
  return bytes.every((byte, index) => {
    const rest = bits - 8 * index;
    const mask = rest >= 8 ? 0xff : rest <= 0 ? 0 : 0xff00 >> rest;
    return (byte & mask & 0xff) === (value.bytes[index]! & mask & 0xff);
  });
}

function network(text: string): Network | undefined {
  const [address = '', prefix, more] = text.split('/', 3);
  const bytes = ipv4(address) ?? ipv6(address);
  if (bytes === undefined || more !== undefined) return undefined;
  const size = bytes.length * 8;
  if (prefix === undefined) return { bytes, bits: size };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > size) return undefined;
  return { bytes, bits: Number(prefix) };
}

function ipv4(text: string): number[] | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** RFC 4291 section 2.2: eight groups, `::` for some that are zero, the last two perhaps as IPv4. */
function ipv6(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, index) => ipv6Groups(half, index === halves.length - 1));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (tail === undefined) return head.length === 16 ? head : undefined;
  const zeros = 16 - head.length - tail.length;
  return zeros >= 2 ? [...head, ...new Array<number>(zeros).fill(0), ...tail] : undefined;
}

function ipv6Groups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':', 9);
  for (const [index, group] of groups.entries()) {
    const embedded = isLast && index === groups.length - 1 ? ipv4(group) : undefined;
    if (embedded) {
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
