/** One message to send: a Segment message of the `type`'s route, in the order of the file. `rows` counts the file's rows in it. */
export type ReplayMessage = {
  type: 'track' | 'page' | 'identify';
  /** Messages of one person are sent one after the other. */
  person: string;
  rows: number;
  /** Milliseconds since the epoch, for a replay in proportion to recorded time. */
  at: number;
  body: Record<string, unknown>;
};
