import { TransportError } from '../../src/core/errors.ts';
import type { Socket } from '../../src/core/socket.ts';
import type { Store } from '../../src/service/index.ts';
import type { SessionManagerService } from '../../src/service/service.ts';
import type { MemoryService } from '../../src/testing/memory-transport.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { CountedClock, Registrations } from './counted.ts';
import { mortalStore } from './mortal-store.ts';

/** What a service has of its process, and loses with it. */
export interface ProcessParts {
  readonly store: Store;
  readonly clock: CountedClock;
  readonly registrations: Registrations;
  /** Counts from 0. */
  readonly life: number;
}

/** A service whose process can be killed, and started again on the store that it left. */
export class RestartingService implements MemoryService {
  readonly #clock: VirtualClock;
  readonly #store: Store;
  readonly #make: (parts: ProcessParts) => SessionManagerService;
  #lives = 0;
  #process: Process;
  #up = true;

  constructor(clock: VirtualClock, store: Store, make: (parts: ProcessParts) => SessionManagerService) {
    this.#clock = clock;
    this.#store = store;
    this.#make = make;
    this.#process = this.#start();
  }

  /** Whether it takes calls. */
  get up(): boolean {
    return this.#up;
  }

  /** The one that runs, or ran last. */
  get service(): SessionManagerService {
    return this.#process.service;
  }

  get clock(): CountedClock {
    return this.#process.clock;
  }

  get registrations(): Registrations {
    return this.#process.registrations;
  }

  /** kill -9. Its sockets are the network's to cut. */
  kill(): void {
    this.#up = false;
    this.#process.kill();
  }

  /** Starts it on what is in the store, and takes calls when it has taken that over. */
  async restart(): Promise<void> {
    this.#process = this.#start();
    await this.#process.service.resume();
    this.#up = true;
  }

  fetch(request: Request): Promise<Response> {
    return this.#answered((service) => service.fetch(request));
  }

  upgrade(request: Request): Promise<Response | ((socket: Socket) => void)> {
    return this.#answered((service) => service.upgrade(request));
  }

  #start(): Process {
    const registrations = new Registrations();
    const clock = new CountedClock(this.#clock);
    const { store, kill } = mortalStore(this.#store);
    const service = this.#make({ store, clock, registrations, life: this.#lives++ });
    let die = (_: Error) => {};
    const death = new Promise<never>((_, reject) => {
      die = reject;
    });
    death.catch(() => {});
    return {
      ...{ service, clock, registrations, death },
      kill() {
        kill();
        clock.stop();
        die(refused());
      },
    };
  }

  /** A call that is under way when the process dies is never answered. */
  async #answered<T>(call: (service: SessionManagerService) => Promise<T>): Promise<T> {
    if (!this.#up) throw refused();
    const { service, death } = this.#process;
    return Promise.race([call(service), death]);
  }
}

interface Process {
  readonly service: SessionManagerService;
  readonly clock: CountedClock;
  readonly registrations: Registrations;
  readonly death: Promise<never>;
  kill(): void;
}

function refused(): TransportError {
  return new TransportError('ERR_CONNECT_FAILED', 'the service is not there');
}
