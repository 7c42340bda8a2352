/** Times as SigV4 writes them: `20150830T123600Z`, UTC, whole seconds. */

/** @param time milliseconds since the epoch; a fraction of a second is cut off */
export function formatAmzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Milliseconds since the epoch, or `undefined` when the text is not exactly such a time. */
export function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1).map(Number);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  // `Date.UTC` rolls over: 30 February would be 1 or 2 March.
  return formatAmzDate(time) === text ? time : undefined;
}
