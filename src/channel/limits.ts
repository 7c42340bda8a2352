/** What bounds a data channel's memory. All in bytes unless they say otherwise. */

/** Payload bytes per stream message of both real programs (PROTOCOL.md section 6). */
export const DEFAULT_PAYLOAD_SIZE = 1_024;
/** More than any real agent has been seen to take (PROTOCOL.md section 13). */
export const MAX_PAYLOAD_SIZE = 524_288;
/** Where the service is known to take it: the plugin and the agent both do (PROTOCOL.md section 13). */
export const LARGE_PAYLOAD_SIZE = 32_768;
export const DEFAULT_SEND_WINDOW = 1_048_576;
export const DEFAULT_SEND_QUEUE = 262_144;
export const DEFAULT_RECEIVE_BUFFER = 1_048_576;
/** Messages that may arrive ahead of their turn: the plugin's own bound (PROTOCOL.md section 6). */
export const MAX_REORDER = 10_000;
