import { expect, test } from 'vitest';
import { parsePortProperties } from '../../src/core/port/port-properties.ts';

test.each([
  [
    { portNumber: '80', type: 'LocalPortForwarding' },
    { port: 80, host: undefined, forwarding: true },
  ],
  [{ portNumber: 22 }, { port: 22, host: undefined, forwarding: false }],
  [
    { portNumber: '5432', host: 'db', type: 'LocalPortForwarding' },
    { port: 5432, host: 'db', forwarding: true },
  ],
  [
    { portNumber: '65535', host: '', type: '' },
    { port: 65_535, host: undefined, forwarding: false },
  ],
])('%j leads to a destination', (properties, expected) => {
  expect(parsePortProperties(properties)).toEqual(expected);
});

test.each([
  [undefined, 'portNumber'],
  [{}, 'portNumber'],
  [{ portNumber: '0' }, 'portNumber'],
  [{ portNumber: '65536' }, 'portNumber'],
  [{ portNumber: '80x' }, 'portNumber'],
  [{ portNumber: 1.5 }, 'portNumber'],
  [{ portNumber: '80', host: 7 }, 'host'],
  [{ portNumber: '80', type: 'Teleport' }, 'the type "Teleport" is unknown'],
])('%j does not, and the error says why', (properties, reason) => {
  expect(() => parsePortProperties(properties)).toThrow(
    expect.objectContaining({ code: 'ERR_PORT_PROPERTIES', message: expect.stringContaining(reason) }),
  );
});
