import { anyOf, type Family } from './operand.ts';

/** Date*: instants, so that offsets count. */
export function date(matches: (value: number, operand: number) => boolean): Family {
  return { compile: (values) => anyOf(values, instant, matches) };
}

/**
 * ISO 8601 in the profile of the W3C, or seconds since 1970. Four digits are a year: nobody means the first hours of
 * 1970.
 *
 * @returns seconds since 1970, or undefined for text that is neither
 */
export function instant(text: string): number | undefined {
  const match = W3C.exec(text);
  if (!match) return EPOCH_SECONDS.test(text) ? Number(text) : undefined;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '', zone] =
    match;
  const fields = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isInCalendar(...fields)) return undefined;
  const offset = offsetSeconds(zone ?? 'Z');
  if (offset === undefined) return undefined;
  return utcSeconds(...fields) + Number(`0${fraction}`) - offset;
}

function isInCalendar(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): boolean {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 && isLeap ? 29 : DAYS[month - 1]!);
}

/** `Date.UTC` would read the years before 100 as of the twentieth century. */
function utcSeconds(year: number, month: number, ...rest: [number, number, number, number]): number {
  const date = new Date(Date.UTC(2000, month - 1, ...rest));
  date.setUTCFullYear(year, month - 1, rest[0]);
  return date.getTime() / 1000;
}

function offsetSeconds(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

const W3C =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/;
const EPOCH_SECONDS = /^-?[0-9]{1,15}(?:\.[0-9]{1,9})?$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
