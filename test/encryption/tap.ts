import type { Socket } from 'hawser';
import type { MemoryService } from 'hawser/testing';

export type Sender = 'client' | 'agent';

/** Sits in the service, where the data channels of both ends come in: hears every message, and may change it. */
export interface Tap {
  readonly service: MemoryService;
  /** Everything that the ends sent and were answered, HTTP included. */
  heard(): string;
  /** Messages of data channels, as they came, by sender. */
  readonly frames: readonly { readonly from: Sender; readonly frame: Uint8Array }[];
}

export interface TapOptions {
  /** What the service gets instead of a message of an end; the frame itself to leave it. */
  readonly change?: ((frame: Uint8Array, from: Sender) => readonly Uint8Array[]) | undefined;
  /** What an end gets instead of a message of the service. */
  readonly tell?: ((frame: Uint8Array, to: Sender) => readonly Uint8Array[]) | undefined;
}

export function tap(
  service: MemoryService,
  { change = (frame) => [frame], tell = (frame) => [frame] }: TapOptions,
): Tap {
  const frames: { from: Sender; frame: Uint8Array }[] = [];
  const heard: string[] = [];
  const hear = (data: Uint8Array | string) => {
    heard.push(typeof data === 'string' ? data : Buffer.from(data).toString('latin1'));
  };
  const wrap = (socket: Socket, from: Sender | undefined): Socket => ({
    get handler() {
      return socket.handler;
    },
    set handler(handler) {
      socket.handler = handler && {
        ...handler,
        message(data) {
          hear(data);
          if (typeof data === 'string' || !from) return handler.message(data);
          frames.push({ from, frame: data });
          for (const changed of change(data, from)) handler.message(changed);
        },
        closed: (code, reason) => handler.closed(code, reason),
      };
    },
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send(data) {
      hear(data);
      if (typeof data === 'string' || !from) return socket.send(data);
      for (const told of tell(data, from)) socket.send(told);
    },
    close: (code, reason) => socket.close(code, reason),
    pause: () => socket.pause?.(),
    resume: () => socket.resume?.(),
  });
  return {
    frames,
    heard: () => heard.join('\n'),
    service: {
      async fetch(request) {
        request.headers.forEach((value, name) => {
          hear(`${name}: ${value}`);
        });
        hear(await request.clone().text());
        const response = await service.fetch(request);
        hear(await response.clone().text());
        return response;
      },
      async upgrade(request) {
        const answer = await service.upgrade(request);
        return answer instanceof Response ? answer : (socket) => answer(wrap(socket, senderOf(request)));
      },
    },
  };
}

/** Agents sign their upgrades, clients do not. */
function senderOf({ url, headers }: Request): Sender | undefined {
  if (!url.includes('/data-channel/')) return undefined;
  return headers.has('authorization') ? 'agent' : 'client';
}
