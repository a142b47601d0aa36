/** An answer of the door; header names are in lower case. */
export type Answer = { status: number; headers: Readonly<Record<string, unknown>>; body: Buffer };
