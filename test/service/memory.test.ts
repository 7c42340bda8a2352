import { memoryBus, memoryStore } from '../../src/service/index.ts';
import { turn } from '../../src/testing/turn.ts';
import { busContract } from './bus-contract.ts';
import { storeContract } from './store-contract.ts';

storeContract('memoryStore', async () => memoryStore(), turn);
busContract('memoryBus', async () => memoryBus(), turn);
