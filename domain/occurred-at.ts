import type { Channel } from './purposes.ts';

const DAY_MS = 86_400_000;
const ISO_8601 = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** A browser's clock is believed this far back: an offline queue of a tag keeps about a week. */
const BROWSER_PAST_MS = 7 * DAY_MS;
/** And this far ahead of receipt, which covers ordinary clock drift. */
const BROWSER_FUTURE_MS = 5 * 60_000;

/**
 * Reads an ISO 8601 text as milliseconds since the epoch; without a zone it is UTC. `undefined` when it is no such text,
 * names a day that does not exist, or lies outside the years 2000 to 2099.
 */
export function parseTimestamp(text: string): number | undefined {
  const usual = usualForm(text);
  if (usual !== undefined) return usual;
  const parts = ISO_8601.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  if (Number(year) < 2000 || Number(year) > 2099) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, '0')),
  );
  const back = new Date(local);
  if (back.getUTCMonth() !== Number(month) - 1 || back.getUTCDate() !== Number(day)) return undefined;
  return local - zoneOffsetMs(zone);
}

/** What `toISOString` writes and nearly every sender sends; the engine reads it many times as fast as a pattern does. */
function usualForm(text: string): number | undefined {
  if (text.length !== 24 || text.charCodeAt(23) !== 90 || !text.startsWith('20')) return undefined;
  const time = Date.parse(text);
  // The engine lets 31 February pass as 3 March, so the last days of a month take the slow way.
  return Number.isNaN(time) ||
    text.charCodeAt(8) === 51 ||
    (text.charCodeAt(8) === 50 && text.charCodeAt(9) === 57) ||
    text.startsWith('24', 11)
    ? undefined
    : time;
}

function zoneOffsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone[0] === '-' ? -minutes : minutes) * 60_000;
}

/** Holds a browser's time to the clamp and says whether it was moved; a server's history stands as sent. */
export function clamp(sent: number, receivedAt: number, channel: Channel): { at: number; clamped: boolean } {
  if (channel === 'server') return { at: sent, clamped: false };
  const at = Math.min(Math.max(sent, receivedAt - BROWSER_PAST_MS), receivedAt + BROWSER_FUTURE_MS);
  return { at, clamped: at !== sent };
}
