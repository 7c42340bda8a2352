import { fromBase64 } from '../../base/encoding.ts';
import { anyOf, type Family } from './operand.ts';

/** BinaryEquals: the bytes that base64 stands for. */
export const binaryEquals: Family = {
  compile: (values) => anyOf(values, bytes, isEqual),
};

function bytes(text: string): Uint8Array | undefined {
  return BASE64.test(text) ? fromBase64(text) : undefined;
}

function isEqual(value: Uint8Array, operand: Uint8Array): boolean {
  return value.length === operand.length && value.every((byte, index) => byte === operand[index]);
}

/** `atob` takes white space as well, and leaves out padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
