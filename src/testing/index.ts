/**
 * `hawser/testing`: time, chance and a network that belong to the test.
 *
 * @module
 */
export {
  type MemoryConnection,
  type MemoryService,
  type MemoryTransport,
  type MemoryTransportOptions,
  memoryTransport,
} from './memory-transport.ts';
export { seededRandom } from './seeded-random.ts';
export { type SocketPair, type SocketPairOptions, socketPair } from './socket-pair.ts';
export { VirtualClock, VirtualTimeError } from './virtual-clock.ts';
