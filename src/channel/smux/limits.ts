/** What bounds the memory of a smux session. All in bytes unless they say otherwise. */

/** Payload per frame: the default of the real programs, which some peers take for the limit. */
export const DEFAULT_SMUX_FRAME = 32_768;
/** Streams. */
export const DEFAULT_SMUX_STREAMS = 4_096;
/** What {@link SmuxSession.write} takes ahead of the peer, for each stream. */
export const DEFAULT_SMUX_SEND_BUFFER = 131_072;
/** Version 2: the window of every stream before its first UPD. xtaci's is four times as large, for fewer streams. */
export const SMUX_INITIAL_WINDOW = 65_536;
/** Version 2: as far as a stream's window grows when its reader keeps up. The data channel holds no more itself. */
export const MAX_SMUX_WINDOW = 1_048_576;
/**
 * Version 1: bytes received and not consumed over all streams, as the real programs. Version 2: what the windows of all
 * streams may grow by, beyond the initial ones.
 */
export const SMUX_RECEIVE_BUFFER = { 1: 4_194_304, 2: 67_108_864 } as const;
/** Frames that end streams and wait to be sent, for each stream that may be open; beyond that the session is full. */
export const SMUX_RESETS_PER_STREAM = 2;
/** The least that a transmit may be limited to: the longest reset fits. */
export const MIN_SMUX_TRANSMIT = 2_048;
